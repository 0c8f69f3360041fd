"""Families where a word depends on another far away: pronouns and nouns of two meanings."""

from mlspring.worlds.translation import adjuncts, lexicon, phrases, relatives
from mlspring.worlds.translation.determiners import synonyms
from mlspring.worlds.translation.dice import Dice
from mlspring.worlds.translation.entries import Noun, Word
from mlspring.worlds.translation.families_plain import Pair
from mlspring.worlds.translation.pronouns import Phrase, Pronoun, Relative
from mlspring.worlds.translation.relatives import sometimes
from mlspring.worlds.translation.target import Text, either, text


def bound(dice: Dice) -> Pair:
    """Return a sentence whose "it" or "they" is 他, 她, 它, 牠 ... by its far subject."""
    reason = dice.one(lexicon.reasons())
    relate = relatives.nested if dice.chance(0.85) else sometimes(0.0)
    determiner = dice.one(("the", "the", "the", "this", "these", "number", "many"))
    subject = phrases.noun_phrase(
        dice, reason.nouns, role="subject", relate=relate, determiner=determiner
    )
    falls, because = dice.one(reason.falls), dice.one(reason.because)
    pronoun = subject.pronoun
    main, why = _bent(falls, subject, pronoun), _bent(because, subject, pronoun)
    en = f"{subject.en} {main.en} because {pronoun.en} {why.en}"
    every = "都" if subject.every else ""
    return Pair(en, text(subject.zh, every, main.zh[0], "，", "因為", pronoun.zh, why.zh[0]))


def _bent(word: Word, subject: Phrase, pronoun: Pronoun) -> Word:
    """Return what is said with the verb and the possessive that agree with the subject."""
    en = word.en.replace("were_was", "were" if subject.plural else "was")
    en = en.replace("{poss}", pronoun.possessive)
    return Word(en, (word.zh[0].replace("{她}", pronoun.zh),))


def two_meanings(dice: Dice) -> Pair:
    """Return a sentence about e.g. a "bat"; its end tells the animal from the stick."""
    sense = dice.one(lexicon.senses())
    noun = Noun(sense.en, "", (sense.zh,), "", sense.measures, "count", "", ())
    relative = _between(dice)
    said = dice.one(sense.predicates)
    counted = synonyms(noun.measures)
    clause = text(relative.zh, "的")
    zh = either(
        text(clause, "那", counted, sense.zh),
        text("那", counted, clause, sense.zh),
        text(clause, sense.zh),
    )
    return Pair(f"the {sense.en} {relative.en} {said.en}", text(zh, said.zh[0]))


def _between(dice: Dice) -> Relative:
    """Return a relative clause that fits both meanings."""
    word = dice.one(lexicon.words("agreement", "between", "words").items)
    someone = phrases.person(dice, relate=sometimes(0.5))
    while not someone.definite:
        someone = phrases.person(dice, relate=sometimes(0.5))
    time = adjuncts.time(dice, "past") if dice.chance(0.5) else None
    if word.en.startswith("was ") or word.en == "liked":
        time = None
    verb = word.en.replace("was ", "were ", 1) if someone.plural else word.en
    when: Text = time.zh if time else text()
    that = "which" if someone.en.startswith("that ") else "that"
    en = f"{that} {someone.en} {verb}{f' {time.en}' if time else ''}"
    return Relative(en, text(someone.zh, when, word.zh[0]))
