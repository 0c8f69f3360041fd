"""What the word lists hold: one small class for each part of speech."""

from dataclasses import dataclass

from mlspring.worlds.translation.dice import Table
from mlspring.worlds.translation.morphology import Forms

Say = tuple[str, ...]  # words of a saying; ASPECT and OBJECT mark where these go
ASPECT, OBJECT = ".", "~"


@dataclass(frozen=True, eq=False, slots=True)
class Noun:
    """A noun; equality is identity, so that it is a quick key.

    Args:
        en: the singular, or the only form.
        plural: the plural.
        zh: synonyms, the preferred one first.
        noun_class: its semantic class.
        measures: measure words that count it, the preferred one first.
        kind: count, mass, pair or bare.
        gender: "m", "f" or "" for either.
        portions: what counts a mass noun, by language, e.g. ("cup", "杯").
    """

    en: str
    plural: str
    zh: tuple[str, ...]
    noun_class: str
    measures: tuple[str, ...]
    kind: str
    gender: str
    portions: tuple[tuple[str, str], ...]


@dataclass(frozen=True, eq=False, slots=True)
class Verb:
    """A verb of one meaning, with the nouns that may stand beside it.

    Args:
        forms: the English forms.
        zh: sayings, the preferred one first.
        subjects: nouns that do it.
        objects: nouns that it is done to; none for an intransitive verb.
        kind: action, event, state or wear.
        human: any person may do it.
        of_humans: any person may have it done to them.
        passive: "bei", "shi" or "" where Chinese has no usual passive.
        ba: the object may stand before it, with 把.
        rank: its place in its list; frequent verbs stand first.
    """

    forms: Forms
    zh: tuple[Say, ...]
    subjects: Table[Noun]
    objects: Table[Noun] | None
    kind: str
    human: bool
    of_humans: bool
    passive: str
    ba: bool
    rank: int

    @property
    def patterned(self) -> bool:
        """Return whether the object stands inside the Chinese verb (跟湯姆聊天)."""
        return OBJECT in self.zh[0] and self.zh[0][-1] != OBJECT

    @property
    def directed(self) -> bool:
        """Return whether the Chinese verb ends in a direction (撿起來), which no object follows."""
        return self.zh[0][0].endswith(("來", "去"))


@dataclass(frozen=True, eq=False, slots=True)
class Adjective:
    """An adjective.

    Args:
        en: the positive.
        attribute: synonyms as before a noun (大, 漂亮的), the preferred one first.
        predicate: the same after a subject (大, 漂亮).
        graded: it is compared and said of a subject.
        passing: it is of a moment, so it stands before no noun.
        last: it names a colour or a material, so it stands nearest to the noun.
    """

    en: str
    attribute: tuple[str, ...]
    predicate: tuple[str, ...]
    graded: bool
    passing: bool
    last: bool


@dataclass(frozen=True, eq=False, slots=True)
class Word:
    """An English word or phrase with its Chinese, the preferred synonym first.

    ``note`` is a third field of a list's own: a gender, a preposition, the denied form.
    """

    en: str
    zh: tuple[str, ...]
    note: str = ""


@dataclass(frozen=True, eq=False, slots=True)
class Sense:
    """One of two meanings of an English noun, and what is said of this one alone."""

    en: str
    zh: str
    measures: tuple[str, ...]
    predicates: tuple[Word, ...]


@dataclass(frozen=True, eq=False, slots=True)
class Reason:
    """What befalls nouns of a class, and why."""

    nouns: Table[Noun]
    falls: tuple[Word, ...]
    because: tuple[Word, ...]
