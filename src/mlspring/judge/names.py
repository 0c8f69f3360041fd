"""The names of learners: which may be used, which are one, and which look alike.

A board on which ``ann`` stands twice, once with a Cyrillic a, or beside a row without any name, is
worth nothing. So a name is composed and trimmed (`learner_name`); spellings that differ in case or
in Unicode's compatibility forms are one learner (`name_key`); letters of scripts that share shapes
are not mixed; and of two names that look alike the later one is refused (`look`).

Sources: Unicode Technical Standard 39, "Unicode Security Mechanisms": section 4 (skeletons of
confusable strings), section 5.2 (highly restrictive mixing of scripts).
"""

import unicodedata
from collections.abc import Iterable

from mlspring.core.errors import UserError
from mlspring.core.foreign_text import INVISIBLE, shown

BASELINE_PREFIX = "baseline: "
LONGEST_NAME = 64
MOST_MARKS = 3  # accents, vowel signs and the like on one letter
FIX = "choose another name, e.g. --as ann"

TOGETHER = frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA", "BOPOMOFO", "HANGUL"})
SCRIPTS = TOGETHER | {
    *("GREEK", "CYRILLIC", "ARMENIAN", "GEORGIAN", "HEBREW", "ARABIC", "SYRIAC", "THAANA"),
    *("DEVANAGARI", "BENGALI", "GURMUKHI", "GUJARATI", "ORIYA", "TAMIL", "TELUGU", "KANNADA"),
    *("MALAYALAM", "SINHALA", "THAI", "LAO", "TIBETAN", "MYANMAR", "ETHIOPIC", "KHMER"),
}
"""Scripts in everyday use; the first word of a letter's name in Unicode tells its script."""
PHONETIC = (
    (0x0250, 0x0258),
    (0x025A, 0x02AF),
    (0x1D00, 0x1DBF),
    (0xA720, 0xA7FF),
    (0xAB30, 0xAB6F),
)
"""Latin letters that no language's names need and that imitate others: small capitals, script g."""

STROKE = "|"  # what I, l, 1 and the bar look like
LOOKS = {
    **dict.fromkeys("Il1|!ІӀӏΙו׀ןا", STROKE),
    **dict(zip("аеорсухіјѕһԁԛԝѵгпкмтнвьҽ", "aeopcyxijshdqwvrnkmthbbe", strict=True)),
    **dict(zip("АВЕКМНОРСТУХЈЅԚԜѴҮЬ", "ABEKMHOPCTYXJSQWVYb", strict=True)),
    **dict(zip("αβγηικνορτυχωϲϳ", "abyniknoptuxwcj", strict=True)),
    **dict(zip("ΑΒΕΖΗΚΜΝΟΡΤΥΧϹ", "ABEZHKMNOPTYXC", strict=True)),
    **dict(zip("օոսցհզյԼՕՍՏ", "onughqjLOUS", strict=True)),
    **dict(zip("ー丨ㅣロエカタトニハヘリ", "一||口工力夕卜二八へり", strict=True)),
    **dict.fromkeys("0ㅇ〇०০੦૦௦౦೦൦๐໐၀ہסם", "o"),
    **{"ı": "i", "ø": "o", "đ": "d", "ł": STROKE, "ß": "b", "´": "'", "`": "'", "·": ".", "×": "x"},
}
"""What a character looks like: the commonest pairs of confusables.txt of the standard above."""


def learner_name(name: str) -> str:
    """Return the name as the board shows it: composed characters, single spaces.

    Raises:
        UserError: empty, too long, with characters that show as nothing or as something else
            than they are, of letters of several scripts, or a name that the board's baselines use.
    """
    if len(name) > 16 * LONGEST_NAME:  # before work that grows with it
        raise UserError("the learner's name is too long", fix=FIX)
    clean = " ".join(unicodedata.normalize("NFC", name).split())
    if not clean:
        raise UserError("the learner's name is empty", fix=FIX)
    if max(len(clean), len(name_key(clean))) > LONGEST_NAME:
        found = f"the learner's name has {len(clean)} characters"
        raise UserError(found, expected=f"at most {LONGEST_NAME}", fix=FIX)
    _refuse_unseen(clean)
    _refuse_mixed(clean)
    if _strokes(clean).startswith(_strokes(BASELINE_PREFIX.strip(": "))):
        raise UserError(f"{shown(clean)!r} would look like a baseline of the board", fix=FIX)
    return clean


def name_key(name: str) -> str:
    """Return what two spellings of one name have in common, so that nobody poses as another."""
    composed = unicodedata.normalize("NFC", name)
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", composed).casefold())


def look(name: str) -> str:
    """Return what two names that look alike have in common; it is compared, never shown."""
    drawn = "".join(map(_plain, unicodedata.normalize("NFKC", name))).casefold()
    return drawn.replace("rn", "m").replace("vv", "w")


def looks_like(name: str, others: Iterable[str]) -> str | None:
    """Return the first of ``others`` that looks like ``name`` and is another learner's."""
    mine, key = look(name), name_key(name)
    return next((o for o in others if look(o) == mine and name_key(o) != key), None)


def _plain(character: str) -> str:
    """Return the commonest character that looks like this one."""
    like = LOOKS.get(character)
    if like is None and not character.isascii():
        like = LOOKS.get(character.casefold())
    category = unicodedata.category(character)
    if like is not None:
        return like
    if category == "Nd":
        return _plain(str(unicodedata.digit(character))) if character > "9" else character
    return {"Pd": "-", "Pi": "'", "Pf": "'", "Lm": "'"}.get(category, character)


def _strokes(name: str) -> str:
    """Return the look of a name whose i, l and L are one: letter case does not matter here."""
    return "".join(STROKE if c in "il" else c for c in look(name))


def _refuse_unseen(clean: str) -> None:
    """Raise where a character shows as nothing, or marks pile up or stand alone."""
    marks = MOST_MARKS  # a name does not begin with a mark
    for character in unicodedata.normalize("NFD", clean):
        category = unicodedata.category(character)
        if category[0] == "C" or ord(character) in INVISIBLE or category in ("Zl", "Zp"):
            found = f"the learner's name has a character that cannot be seen ({character!a})"
            raise UserError(found, fix=FIX)
        marks = marks + 1 if category[0] == "M" else 0
        if marks > MOST_MARKS:
            raise UserError("the learner's name has marks without a letter", fix=FIX)
    if not any(unicodedata.category(c)[0] in "LN" for c in clean):
        raise UserError(f"{shown(clean)!r} has no letter and no digit", fix=FIX)


def _refuse_mixed(clean: str) -> None:
    """Raise unless all letters are of one script, or of those that East Asian names mix."""
    scripts = {_script(c) for c in unicodedata.normalize("NFKC", clean) if _tells(c)}
    if odd := sorted(scripts - SCRIPTS):
        found = f"{shown(clean)!r} has letters that look like others ({odd[0].lower()})"
        raise UserError(found, fix=FIX)
    if len(scripts) > 1 and not scripts <= TOGETHER:
        named = ", ".join(sorted(scripts)).title()
        raise UserError(f"{shown(clean)!r} mixes letters of several scripts: {named}", fix=FIX)


def _script(letter: str) -> str:
    """Return the script of a letter, e.g. ``LATIN``: the first word of its Unicode name."""
    if any(low <= ord(letter) <= high for low, high in PHONETIC):
        return "PHONETIC"
    first = unicodedata.name(letter, "UNNAMED").replace("-", " ").split()[0]
    return "CJK" if first == "IDEOGRAPHIC" else first


def _tells(character: str) -> bool:
    """Return whether a character tells its script; marks, digits and apostrophes do not."""
    return character.isalpha() and not unicodedata.name(character, "").startswith("MODIFIER ")
