"""Whole situations: a verb of the lists, its subject and object, a tense that goes with it."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

from mlspring.worlds.translation import adjuncts, doings, lexicon, phrases
from mlspring.worlds.translation.clauses import Clause
from mlspring.worlds.translation.determiners import synonyms, weighted
from mlspring.worlds.translation.dice import Dice, Table
from mlspring.worlds.translation.doings import Doing, doing
from mlspring.worlds.translation.entries import Noun, Say, Verb
from mlspring.worlds.translation.morphology import verb_forms
from mlspring.worlds.translation.pronouns import Phrase, Relate, no_relative
from mlspring.worlds.translation.target import text

TENSES = {
    "action": (
        ("past", 0.42), ("present", 0.14), ("future", 0.12), ("going", 0.06), ("now", 0.12),
        ("experience", 0.07), ("perfect", 0.07),
    ),
    "event": (
        ("past", 0.58), ("future", 0.14), ("going", 0.06), ("experience", 0.1), ("perfect", 0.12),
    ),
    "state": (("present", 0.75), ("past", 0.25)),
    "wear": (("now", 0.5), ("past", 0.3), ("present", 0.2)),
    "quality": (("present", 0.7), ("past", 0.3)),
}  # fmt: skip
TIMED = {"past": 0.55, "present": 0.7, "future": 0.55, "going": 0.6, "now": 0.25}
FAMILIAR = (doings.PRESENT, doings.EXPERIENCE)  # tenses that speak of no one thing
OF_NONE = ("the", "this", "possessive", "bare", "bare")  # determiners of what is denied
FITTING = {
    "action": ("past", "present", "future", "going", "now", "then", "experience", "perfect"),
    "event": ("past", "future", "going", "experience", "perfect"),
    "state": ("past", "present"),
    "wear": ("past", "present", "now", "then"),
}  # tenses of each kind of verb


@cache
def verbs(kind: str) -> Table[Verb]:
    """Return verbs of a kind: any, of persons, with object, without, 被, 把, or by aspect."""
    tests: dict[str, Callable[[Verb], bool]] = {
        "transitive": lambda verb: verb.objects is not None,
        "intransitive": lambda verb: verb.objects is None,
        "bei": lambda verb: verb.passive == "bei" and not verb.patterned,
        "shi": lambda verb: verb.passive == "shi",
        "ba": lambda verb: verb.ba,
        "human": lambda verb: verb.human,
        "personal transitive": lambda verb: verb.human and verb.objects is not None,
        "personal action": lambda verb: verb.human and verb.kind == "action",
        "willed": lambda verb: (
            verb.human
            and verb.kind in ("action", "event")
            and verb.forms.base not in lexicon.named("accidents")
        ),
        "personal intransitive": lambda verb: verb.human and verb.objects is None,
        "any": lambda verb: True,
    }
    return Table([verb for verb in lexicon.verbs() if tests[kind](verb)])


@cache
def several_meanings() -> frozenset[str]:
    """Return the English verbs whose Chinese depends on the object."""
    seen: dict[str, set[tuple[Say, ...]]] = {}
    for verb in verbs("transitive").items:
        seen.setdefault(verb.forms.base, set()).add(verb.zh)
    return frozenset(base for base, meanings in seen.items() if len(meanings) > 1)


@cache
def verbs_of_object(noun: Noun) -> Table[Verb]:
    """Return the verbs of persons that a noun may be the object of, without a pattern."""
    return Table(
        [
            verb
            for verb in verbs("personal transitive").items
            if verb.objects and noun in verb.objects.items and not verb.patterned
        ]
    )


@cache
def verbs_of_subject(noun: Noun) -> Table[Verb]:
    """Return the verbs that a noun may be the subject of."""
    return Table([verb for verb in lexicon.verbs() if noun in verb.subjects.items])


def subject_of(dice: Dice, verb: Verb, relate: Relate = no_relative) -> Phrase:
    """Return somebody or something that does what ``verb`` says."""
    if verb.human:
        return phrases.person(dice, relate=relate)
    return phrases.noun_phrase(dice, verb.subjects, role="subject", relate=relate)


def object_of(
    dice: Dice,
    verb: Verb,
    subject: Phrase | None,
    tense: str,
    relate: Relate = no_relative,
    negated: bool = False,
) -> Phrase | None:
    """Return what ``verb`` is done to, another than the subject; None without objects."""
    if verb.objects is None:
        return None
    while True:
        if verb.of_humans:
            found = phrases.person(dice, role="object", relate=relate)
        else:
            determiner = ""
            first = verb.objects.items[0].noun_class
            if first.startswith("instrument") and verb.forms.base in ("play", "learn", "practice"):
                determiner = "generic"
            elif negated and tense in FAMILIAR:
                determiner = "bare"
            elif negated:
                determiner = dice.one(OF_NONE)
            elif tense in FAMILIAR and verb.kind != "state":
                determiner = dice.one(("a", "bare", "bare"))
            elif verb.kind == "state" and dice.chance(0.3):
                determiner = "bare"
            found = phrases.noun_phrase(dice, verb.objects, relate=relate, determiner=determiner)
        if subject is None or not _same(subject, found):
            return found


def _same(one: Phrase, other: Phrase) -> bool:
    """Return whether two phrases speak of the same, or of one pronoun twice."""
    both = {one.pronoun.zh.removesuffix("們"), other.pronoun.zh.removesuffix("們")}
    pronouns = one.is_pronoun and other.is_pronoun and len(both) == 1
    return pronouns or one.zh == other.zh or (one.noun is other.noun and one.noun is not None)


def deed(
    dice: Dice,
    kind: str = "any",
    *,
    tense: str = "",
    subject: Phrase | None = None,
    relate: Relate = no_relative,
    negated: bool = False,
) -> Clause:
    """Return a clause about something done.

    Args:
        dice: the source of every choice.
        kind: which verbs, see ``verbs``.
        tense: which; "" leaves it to chance.
        subject: a person; None draws one that suits the verb.
        relate: draws relative clauses for subject and object.
        negated: whether it is denied.
    """
    verb = dice.word(verbs(kind))
    while tense and tense not in FITTING[verb.kind]:
        verb = dice.word(verbs(kind))
    tense = tense or weighted(dice, TENSES[verb.kind])
    if tense == doings.EXPERIENCE and not verb.human:
        tense = doings.PAST
    subject = subject or subject_of(dice, verb, relate)
    phrase = object_of(dice, verb, subject, tense, relate, negated)
    one = doing(verb, phrase)
    return clothed(dice, Clause(subject=subject, doing=one, tense=tense, negated=negated))


def clothed(dice: Dice, clause: Clause) -> Clause:
    """Return the clause with a time, a place and a manner where chance and sense want them."""
    kind, tense = clause.doing.kind, clause.tense
    bare = clause.doing.phrase is None
    if clause.doing.phrase is not None and clause.doing.phrase.related:
        time = adjuncts.time(dice, tense) if dice.chance(0.4) else None
        when = (doings.PAST, doings.FUTURE)
        return replace(clause, time=time, fronted=True) if tense in when and time else clause
    if kind in ("state", "quality"):
        return clause
    timed = TIMED.get(tense, 0.0)
    if clause.negated and tense == doings.PRESENT:
        return clause if dice.chance(0.6) else replace(clause, time=adjuncts.hour(dice))
    if tense == doings.PRESENT and dice.chance(0.45):
        word = dice.word(lexicon.words("adverbs", "often", "words"))
        clause = replace(clause, often=adjuncts.Adjunct(word.en, synonyms(word.zh)))
    elif dice.chance(1.0 if tense == doings.PRESENT or (bare and kind == "action") else timed):
        clause = replace(clause, time=adjuncts.time(dice, tense, exact=clause.negated))
    needs_place = bare and tense == doings.PAST  # 散步 of a past day alone sounds unfinished
    if kind == "action" and clause.personal and dice.chance(1.0 if needs_place else 0.55):
        return replace(clause, place=adjuncts.place(dice))
    plain = tense not in (doings.PERFECT, doings.EXPERIENCE) and not bare and kind == "action"
    if clause.personal and plain and dice.chance(0.12):
        return replace(clause, manner=adjuncts.manner(dice))
    return clause


# ---- verbs that take a place, another verb or two objects


def journey(dice: Dice) -> Doing:
    """Return going somewhere, sometimes to do something there."""
    far = dice.chance(0.45)
    word = dice.word(lexicon.words("verbs", "travel", "far" if far else "to"))
    goal = adjuncts.destination(dice, far)
    says = tuple(lexicon.saying(zh, True) for zh in word.zh)
    if not far and word.en == "go to" and dice.chance(0.6):
        inner = dice.word(verbs("personal transitive"))
        if inner.kind == "action":
            phrase = object_of(dice, inner, None, doings.PAST)
            purpose = doing(inner, phrase)
            after = f"{goal.en} to {purpose.forms.base} {purpose.after}"
            return Doing(
                verb_forms(word.en), after, purpose.says, "event", purpose.object,
                front=text("去", goal.zh),
            )  # fmt: skip
    return Doing(verb_forms(word.en), goal.en, says, "event", goal.zh)


def living(dice: Dice) -> Doing:
    """Return living somewhere or coming from there."""
    word = dice.word(lexicon.words("verbs", "travel", "live"))
    goal = adjuncts.destination(dice, True)
    says = tuple(lexicon.saying(zh, True) for zh in word.zh)
    return Doing(verb_forms(word.en), goal.en, says, "state", goal.zh)


def controlled(dice: Dice, inner: Doing, kind: str, general: bool) -> Doing:
    """Return wanting, needing, deciding ... to do something; only what is general is liked."""
    word = dice.word(lexicon.three("verbs", "controls", kind))
    while word.en == "like to" and not general:
        word = dice.word(lexicon.three("verbs", "controls", kind))
    after = f"to {inner.forms.base} {inner.after}".strip()
    denied = tuple(word.note.split("|"))
    return replace(
        inner,
        forms=verb_forms(word.en.removesuffix(" to")),
        after=after,
        front=synonyms(word.zh),
        front_denied=None if denied == ("-",) else synonyms(denied),
    )


def gift(dice: Dice, receiver: Phrase) -> Doing:
    """Return giving somebody something new."""
    word = dice.word(lexicon.words("verbs", "giving", "words"))
    classes = {"leave": "jewel artwork", "sell": "goods"}.get(word.en, "carried")
    determiner = dice.one(("a", "a", "some", "several", "number"))
    thing = phrases.noun_phrase(dice, lexicon.table_of(classes), determiner=determiner)
    says = tuple(lexicon.saying(zh, True) for zh in word.zh)
    after = f"{receiver.object} {thing.object}"
    return Doing(verb_forms(word.en), after, says, "event", text(receiver.zh, thing.zh))
