"""What somebody does: a verb with its object, said in any tense in both languages.

Chinese has no tenses; 了, 過, 正在, 會 and 要 and the words of time say the same. What is denied
takes 沒有 where it did not happen and 不 where it does not, cannot or shall not.
"""

from dataclasses import dataclass, replace

from mlspring.worlds.translation.dice import Dice
from mlspring.worlds.translation.entries import ASPECT, OBJECT, Say, Verb
from mlspring.worlds.translation.morphology import Forms, verb_forms
from mlspring.worlds.translation.pronouns import Phrase
from mlspring.worlds.translation.target import Text, either, text

PAST, PRESENT, FUTURE, GOING, NOW, THEN = "past", "present", "future", "going", "now", "then"
PERFECT, EXPERIENCE, BEFORE, WOULD = "perfect", "experience", "before", "would"
BARE = "bare"  # Chinese alone: 買書 of 買書之前
MODALS: dict[str, tuple[Text, Text]] = {
    "can": (either("可以", "能"), either("不能", "不可以")),
    "should": (either("應該"), either("不應該", "不該")),
    "must": (either("必須", "一定要"), either("不准", "不可以")),
    "may": (either("可能會", "也許會"), either("可能不會", "也許不會")),
    "would like to": (either("想", "想要"), either("不想")),
}
PARTICLES = ("away", "back", "behind", "down", "in", "off", "on", "out", "up")
CONTRACTED = {
    "do": "don't", "does": "doesn't", "did": "didn't", "is": "isn't", "are": "aren't",
    "was": "wasn't", "were": "weren't", "will": "won't", "can": "can't", "has": "hasn't",
    "have": "haven't", "had": "hadn't", "would": "wouldn't", "should": "shouldn't",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Doing:
    """A verb and what follows it.

    Args:
        forms: the English verb.
        after: the English words after it, without a space before.
        says: the Chinese verb, the preferred saying first.
        object: the Chinese object, or None.
        kind: action, event, state, wear or quality (an adjective).
        ba: the object may stand before the verb, with 把.
        directed: nothing but 把 is possible (把書撿起來).
        front: Chinese before all of it, e.g. 想 of "want to".
        front_denied: the same denied, e.g. 不想.
        goal: Chinese after verb and aspect, e.g. 桌子上 of 放在桌子上.
        phrase: the object as a phrase.
        verb: the verb of the lists, if it is one.
    """

    forms: Forms
    after: str
    says: tuple[Say, ...]
    kind: str
    object: Text | None = None
    ba: bool = False
    directed: bool = False
    front: Text | None = None
    front_denied: Text | None = None
    goal: Text | None = None
    phrase: Phrase | None = None
    verb: Verb | None = None

    def without_object(self) -> "Doing":
        """Return the same with a gap, as in a relative clause or a question."""
        return replace(self, after="", object=None, phrase=None, ba=False, directed=False)


def doing(verb: Verb, phrase: Phrase | None) -> Doing:
    """Return a verb of the lists with its object; a pronoun parts verb and particle (put it on)."""
    forms, after = verb.forms, phrase.object if phrase else ""
    first, _, particle = forms.base.partition(" ")
    if phrase is not None and phrase.is_pronoun and particle in PARTICLES:
        forms, after = verb_forms(first), f"{after} {particle}"
    return Doing(
        forms=forms,
        after=after,
        says=verb.zh,
        kind=verb.kind,
        object=phrase.zh if phrase else None,
        ba=verb.ba and (verb.directed or (phrase is not None and phrase.definite)),
        directed=verb.directed and phrase is not None,
        phrase=phrase,
        verb=verb,
    )


# ---- Chinese


def said(one: Doing, suffix: str) -> Text:
    """Return verb and object in Chinese with an aspect word (了, 過, 著 or none)."""
    return text(either(*(_said(one, say, suffix) for say in one.says)), one.goal or "")


def _said(one: Doing, say: Say, suffix: str) -> Text:
    if ASPECT not in say:  # 把~放在: nothing may follow 在 but the goal
        return _filled(say, "", one.object)
    inside = say[-1] not in (ASPECT, OBJECT)  # 游.泳, 跟~說.話
    if suffix == "了" and inside:
        whole, split = _filled(say, "", one.object), _filled(say, "了", one.object)
        return either(whole, split) if one.kind == "action" else either([*whole, "了"], split)
    plain = _filled(say, suffix, one.object)
    if one.ba and one.object is not None and suffix in ("", "了"):
        front = text("把", one.object, *(_filled(say, suffix, None)))
        return front if one.directed else either(front, plain)
    return plain


def _filled(say: Say, suffix: str, object_: Text | None) -> Text:
    words = [part for part in say if part not in (ASPECT, OBJECT)]
    if not suffix and OBJECT not in say:
        return text("".join(words))  # 游泳 is one word until 了 parts it
    return text(
        *(suffix if part == ASPECT else (object_ or "") if part == OBJECT else part for part in say)
    )


def chinese(one: Doing, tense: str, negated: bool, *, person: bool = True) -> tuple[Text, Text]:
    """Return what stands before place and manner in Chinese, and the verb after them."""
    if one.kind == "quality":
        return _quality(one, tense, negated)
    if negated and one.front_denied is not None:
        return one.front_denied, said(one, "")
    before, suffix = _aspect(one, tense, negated, person)
    if tense == PERFECT and one.kind == "action":
        one = replace(one, kind="event")  # 已經睡覺了: 了 is always said
    if one.front is not None:
        return text(before, one.front), said(one, "")
    return before, said(one, suffix)


def _aspect(  # noqa: PLR0911 - one tense a line
    one: Doing, tense: str, negated: bool, person: bool
) -> tuple[Text, str]:
    happened = one.kind in ("action", "event", "wear") and one.front is None
    if tense == BARE:
        return text(), ""
    if tense in MODALS:
        return MODALS[tense][negated], ""
    if tense in (FUTURE, WOULD):
        return (either("不會") if negated else either("會", "將會")), ""
    if tense == GOING:
        if negated:
            return (either("不打算", "不會") if person else text("不會")), ""
        return (either("要", "打算", "會") if person else either("會", "要")), ""
    if tense in (NOW, THEN):
        if one.kind == "wear":
            return text("沒有" if negated else ""), "著"
        return (either("沒有在", "沒在") if negated else either("正在", "在")), ""
    if tense == EXPERIENCE:
        return (either("從來沒有", "從來沒", "從沒") if negated else text()), "過"
    if tense == PERFECT:
        return (either("還沒有", "還沒"), "") if negated else (text("已經"), "了")
    if not happened:
        return text("不" if negated else ""), ""
    if tense in (PAST, BEFORE):
        return (either("沒有", "沒"), "") if negated else (text(), "了")
    return text("不" if negated else ""), ""


def _quality(one: Doing, tense: str, negated: bool) -> tuple[Text, Text]:
    """Return an adjective said of a subject: 很高, 不高, 會很高."""
    word = either(*(say[0] for say in one.says))
    if tense in (FUTURE, WOULD, GOING):
        return text("不會" if negated else "會"), text("" if negated else "很", word)
    if tense in MODALS:
        return MODALS[tense][negated], text("" if negated else "很", word)
    if negated:
        return text(), either(*(_not_so(say[0]) for say in one.says))
    return text(), text("很", word)


def _not_so(word: str) -> Text:
    """Return an adjective denied: 不高, 沒有錢."""
    if word.startswith("有") and word not in ("有名", "有趣"):
        return either(text("沒" + word), text("沒" + word[1:]))
    return text("不" + word)


# ---- English


def be(subject: Phrase, past: bool) -> str:
    """Return the form of "to be" that agrees with a subject."""
    if past:
        return "were" if subject.plural else "was"
    return "am" if subject.en == "I" else "are" if subject.plural else "is"


def finite(  # noqa: PLR0911 - one tense a line
    one: Doing, tense: str, subject: Phrase, support: bool
) -> tuple[str, str]:
    """Return auxiliary and main verb; ``support`` asks for "do" where there is no auxiliary."""
    forms, many = one.forms, subject.plural or subject.en == "I"
    if forms.base == "be" and tense in (PAST, PRESENT):
        return be(subject, tense == PAST), ""
    if tense == PAST:
        return ("did", forms.base) if support else ("", forms.past)
    if tense == PRESENT:
        if support:
            return "do" if many else "does", forms.base
        return "", forms.base if many else forms.third
    if tense in (FUTURE, WOULD):
        return ("will" if tense == FUTURE else "would"), forms.base
    if tense == GOING:
        return be(subject, False), f"going to {forms.base}"
    if tense in (NOW, THEN):
        return be(subject, tense == THEN), forms.gerund
    if tense in (PERFECT, EXPERIENCE):
        return "have" if many else "has", forms.participle
    if tense == BEFORE:
        return "had", forms.participle
    modal, _, rest = tense.partition(" ")
    return modal, f"{rest} {forms.base}".strip()


def denied(dice: Dice, auxiliary: str) -> str:
    """Return an auxiliary with "not", often contracted."""
    if auxiliary in CONTRACTED and dice.chance(0.6):
        return CONTRACTED[auxiliary]
    return "cannot" if auxiliary == "can" else f"{auxiliary} not"
