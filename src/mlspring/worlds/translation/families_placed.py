"""Families about where things go and are: 把, existence, numbers, names and relations."""

from mlspring.worlds.translation import adjuncts, lexicon, numerals, phrases, scenes
from mlspring.worlds.translation.adjuncts import Adjunct
from mlspring.worlds.translation.clauses import Clause
from mlspring.worlds.translation.determiners import synonyms
from mlspring.worlds.translation.dice import Dice
from mlspring.worlds.translation.doings import Doing, be, doing
from mlspring.worlds.translation.families_plain import Pair, told
from mlspring.worlds.translation.morphology import verb_forms, with_article
from mlspring.worlds.translation.pronouns import Phrase
from mlspring.worlds.translation.relatives import sometimes
from mlspring.worlds.translation.target import Part, Text, either, text

# ---- 把


def disposal(dice: Dice) -> Pair:
    """Return what somebody did with something known: Chinese puts it before the verb."""
    subject = phrases.person(dice)
    draw = dice.number()
    if draw < 0.4:
        verb = dice.word(scenes.verbs("ba"))
        determiner = dice.one(("the", "the", "this", "that", "possessive", "these"))
        nouns = verb.objects or lexicon.table_of("text")
        one = doing(verb, phrases.noun_phrase(dice, nouns, determiner=determiner))
    else:
        one = (
            _moved(dice) if draw < 0.7 else _changed(dice) if draw < 0.82 else _given(dice, subject)
        )
    tense = dice.one(("past", "past", "past", "future", "going"))
    time = adjuncts.time(dice, tense) if dice.chance(0.4) else None
    negated = dice.chance(0.1)
    return told(dice, Clause(subject=subject, doing=one, tense=tense, time=time, negated=negated))


PUT = (("put", "放在"), ("leave", "留在"), ("hide", "藏在"), ("lay", "擺在"), ("throw", "丟在"))


def _moved(dice: Dice) -> Doing:
    """Return putting something somewhere."""
    if dice.chance(0.25):
        nouns = lexicon.table_of("furniture =box =suitcase =bicycle =piano =plant")
        thing, goal = _known(dice, nouns), adjuncts.destination(dice, False)
        verb, zh = dice.one((("move", "搬到"), ("carry", "搬到"), ("push", "推到")))
        return _placed(verb, f"{thing.object} to {goal.en}", thing, (zh, "."), goal.zh)
    thing, spot = _known(dice, lexicon.table_of("carried")), adjuncts.spot(dice)
    verb, zh = dice.one(PUT)
    return _placed(verb, f"{thing.object} {spot.en}", thing, (zh,), spot.zh)


def _changed(dice: Dice) -> Doing:
    """Return turning something into something else."""
    draw = dice.number()
    if draw < 0.4:
        thing = _known(dice, lexicon.table_of("text paper"))
        language = phrases.noun_phrase(dice, lexicon.table_of("language"))
        after = f"{thing.object} into {language.en}"
        return _placed("translate", after, thing, ("翻譯成", "."), language.zh)
    if draw < 0.7:
        thing = _known(dice, lexicon.table_of("fruit =cake =pizza =pie =potato =watermelon"))
        number = 2 + dice.below(9)
        after = f"{thing.object} into {numerals.english(number)} pieces"
        return _placed("cut", after, thing, ("切成", "."), text(numerals.chinese(number), "塊"))
    thing = _known(dice, lexicon.table_of("wall part furniture"))
    colour = dice.word(lexicon.adjectives()["part"])
    while not colour.attribute[0].endswith("色的") or "-" in colour.en:
        colour = dice.word(lexicon.adjectives()["part"])
    after = f"{thing.object} {colour.en}"
    return _placed("paint", after, thing, ("漆成", "."), synonyms(colour.predicate))


def _given(dice: Dice, subject: Phrase) -> Doing:
    """Return giving something known to somebody."""
    receiver = phrases.person(dice, role="object")
    while receiver.is_pronoun or receiver.en == subject.en:
        receiver = phrases.person(dice, role="object")
    thing = _known(dice, lexicon.table_of("carried"))
    word = dice.word(lexicon.words("verbs", "giving", "words"))
    after = f"{thing.object} to {receiver.object}"
    return _placed(word.en, after, thing, (word.zh[0], "."), receiver.zh)


def _known(dice: Dice, nouns: lexicon.Table[lexicon.Noun]) -> Phrase:
    determiner = dice.one(("the", "the", "the", "this", "that", "possessive", "these"))
    return phrases.noun_phrase(dice, nouns, determiner=determiner, relate=sometimes(0.12))


def _placed(verb: str, after: str, thing: Phrase, zh: tuple[str, ...], goal: Text) -> Doing:
    says = (("把", "~", *zh),)
    return Doing(verb_forms(verb), after, says, "event", thing.zh, goal=goal)


# ---- there is


def existence(dice: Dice) -> Pair:
    """Return that there is something somewhere: Chinese says the place first."""
    if dice.chance(0.55):
        spot = adjuncts.spot(dice)
        classes = "animal bird fruit kitchenware toy text stationery tool garment slip"
    else:
        inside = dice.word(lexicon.places())
        zh = text(synonyms(inside.zh), "裡" if inside.note == "in" else either("", "裡"))
        spot = Adjunct(f"{inside.note} the {inside.en}", zh)
        classes = "role furniture device artwork tree animal"
    draw = dice.number()
    nouns = lexicon.table_of(classes)
    relate = sometimes(0.2)
    if draw < 0.6:
        determiner = dice.one(("a", "number", "many", "some", "several"))
        thing = phrases.noun_phrase(dice, nouns, determiner=determiner, relate=relate)
        past = dice.chance(0.25)
        en = f"there {be(thing, past)} {thing.en} {spot.en}"
        return Pair(en, text("以前" if past else "", spot.zh, "有", thing.zh)) if not past else Pair(
            f"there used to be {thing.en} {spot.en}",
            either(text("以前", spot.zh, "有", thing.zh), text(spot.zh, "以前", "有", thing.zh)),
        )  # fmt: skip
    noun = dice.word(nouns)
    while noun.kind != "count":
        noun = dice.word(nouns)
    adjectives, zh = phrases.adjectives_for(dice, noun, 0.2)
    words = " ".join([*adjectives, noun.plural])
    if draw < 0.8:
        en = f"there are no {words} {spot.en}"
        return Pair(en, text(spot.zh, either("沒有", text("沒有", "任何")), zh, synonyms(noun.zh)))
    en = f"how many {words} are there {spot.en}"
    count = either(
        text("幾", synonyms(noun.measures)), text("多少", synonyms(noun.measures)), "多少"
    )
    return Pair(en, text(spot.zh, "有", count, zh, synonyms(noun.zh)), "?")


# ---- numbers


def numbers(dice: Dice) -> Pair:
    """Return prices, sizes, crowds and stocks; Chinese counts by ten thousands."""
    draw = dice.number()
    if draw < 0.22:
        return _price(dice)
    if draw < 0.42:
        return _size(dice)
    if draw < 0.6:
        return _crowd(dice)
    if draw < 0.8:
        return _two_things(dice)
    return _stock(dice)


def round_number(dice: Dice, least: int, most: int) -> int:
    """Return a number with one or two leading digits, as large ones usually have."""
    size = 10 ** (least + dice.below(most - least + 1))
    digits = 1 + dice.below(9) if dice.chance(0.5) else 10 + dice.below(90)
    return digits * size if digits < 10 else digits * size // 10


def _counted(dice: Dice, least: int, most: int) -> tuple[str, Text]:
    number = round_number(dice, least, most)
    return numerals.english(number), text(numerals.chinese(number))


def _price(dice: Dice) -> Pair:
    nouns = lexicon.table_of("garment vehicle device furniture jewel artwork text instrument")
    thing = phrases.noun_phrase(
        dice, nouns, role="subject", determiner=dice.one(("the", "this", "that")), adjective=0.6,
        relate=sometimes(0.3),
    )  # fmt: skip
    en, zh = _counted(dice, 2, 6)
    many = thing.plural
    costs = either(text("要", zh, "元"), text("賣", zh, "元"), text("要", zh, "塊錢"))
    return Pair(f"{thing.en} {'cost' if many else 'costs'} {en} dollars", text(thing.zh, costs))


SIZES = (
    ("building tree nature:=tower =bridge =pine_tree =mountain =skyscraper =pagoda", "meter", "tall", "公尺", "高"),
    ("=river =bridge =road =tunnel =street =canal =trail", "kilometer", "long", "公里", "長"),
    ("=lake =river =swimming_pool =well =pond", "meter", "deep", "公尺", "深"),
    ("=road =river =street =bridge =valley", "meter", "wide", "公尺", "寬"),
)  # fmt: skip


def _size(dice: Dice) -> Pair:
    if dice.chance(0.4):
        someone = phrases.name(dice) if dice.chance(0.5) else phrases.kin(dice)
        age = 3 + dice.below(90)
        zh = text(someone.zh, numerals.chinese(age), "歲") if age != 2 else someone.zh
        return Pair(f"{someone.en} is {numerals.english(age)} years old", zh)
    nouns, unit, word, zh_unit, zh_word = dice.one(SIZES)
    table = lexicon.table_of(nouns.partition(":")[2] or nouns)
    determiner = dice.one(("the", "this", "that"))
    thing = phrases.noun_phrase(dice, table, role="subject", determiner=determiner)
    en, zh = _counted(dice, 1, 2)
    sized = either(text("有", zh, zh_unit, zh_word), text(zh, zh_unit, zh_word))
    return Pair(f"{thing.en} is {en} {unit}s {word}", text(thing.zh, sized))


def _crowd(dice: Dice) -> Pair:
    en, zh = _counted(dice, 2, 6)
    about, zh_about = dice.one(
        (("", text()), ("about ", either("大約", "大概")), ("more than ", text("超過")))
    )
    if dice.chance(0.45):
        city = dice.word(lexicon.words("places", "cities", "words"))
        there = either(
            text("有", zh_about, zh, "人", "住在", city.zh[0]),
            text(city.zh[0], "住著", zh_about, zh, "人"),
        )
        return Pair(f"{about}{en} people live in {city.en}", there)
    event = phrases.noun_phrase(dice, lexicon.table_of("event"), determiner="the", plural=False)
    time = adjuncts.time(dice, "past")
    when = time.zh if time else text()
    did = text("有", zh_about, zh, "人", either("參加了", "出席了"), event.zh)
    end = f" {time.en}" if time else ""
    return Pair(f"{about}{en} people attended {event.en}{end}", text(when, did))


def _two_things(dice: Dice) -> Pair:
    subject = phrases.person(dice)
    word = dice.one((("buy", "買"), ("need", "需要"), ("order", "訂"), ("bring", "帶")))
    nouns = lexicon.table_of("carried garment tool drink food furniture")
    one, other = (
        phrases.noun_phrase(dice, nouns, determiner=dice.one(("number", "number", "a")))
        for _ in range(2)
    )
    zh = text(one.zh, either("和", "跟"), other.zh)
    kind = "state" if word[0] == "need" else "event"
    says = (lexicon.saying(word[1], True),)
    tense = "present" if kind == "state" else dice.one(("past", "past", "future"))
    after = f"{one.object} and {other.object}"
    time = adjuncts.time(dice, tense) if kind == "event" and dice.chance(0.6) else None
    clause = Clause(
        subject=subject,
        doing=Doing(verb_forms(word[0]), after, says, kind, zh),
        tense=tense,
        time=time,
    )
    return told(dice, clause)


def _stock(dice: Dice) -> Pair:
    en, zh = _counted(dice, 2, 5)
    if dice.chance(0.5):
        place = dice.word(lexicon.places())
        owner = Phrase(f"the {place.en}", synonyms(place.zh), phrases.HE)
    else:
        nouns = lexicon.table_of("org")
        owner = phrases.noun_phrase(dice, nouns, role="subject", determiner="this")
    noun = dice.word(lexicon.table_of("text artwork furniture device role tree"))
    adjectives, described = phrases.adjectives_for(dice, noun, 0.3)
    words = " ".join([*adjectives, noun.plural])
    zh = text(owner.zh, "有", zh, synonyms(noun.measures), described, synonyms(noun.zh))
    return Pair(f"{owner.en} has {en} {words}", zh)


# ---- who is who


def naming(dice: Dice) -> Pair:
    """Return who somebody is, was or became, where from, whose favourite is what."""
    draw = dice.number()
    someone = phrases.name(dice) if dice.chance(0.55) else phrases.kin(dice)
    role = dice.word(lexicon.table_of("role"))
    adjectives, zh = phrases.adjectives_for(dice, role, 0.4)
    word = text(zh, synonyms(role.zh))
    a_role = with_article(" ".join([*adjectives, role.en]))
    counted = text("一", synonyms(role.measures))
    if draw < 0.3:
        place = adjuncts.place(dice) if dice.chance(0.4) else None
        where: Part = text(place.zh, "的") if place else ""
        en = f"{someone.en} is {a_role}{f' {place.en}' if place else ''}"
        return Pair(
            en, text(someone.zh, "是", either(text(counted, where, word), text(where, word)))
        )
    if draw < 0.45:
        was = either("以前是", "曾經是")
        return Pair(
            f"{someone.en} used to be {a_role}", text(someone.zh, was, either(counted, ""), word)
        )
    if draw < 0.6:
        time = adjuncts.time(dice, "past")
        when, end = (time.zh, f" {time.en}") if time else (text(), "")
        became = text(either("成為", "當上"), "了", either(counted, ""), word)
        subject = either(text(someone.zh, when), text(when, someone.zh))
        return Pair(f"{someone.en} became {a_role}{end}", text(subject, became))
    if draw < 0.75:
        goal = adjuncts.destination(dice, True)
        year = 1950 + dice.below(60)
        zh = either(text("出生", "在", goal.zh), text("在", goal.zh, "出生"))
        zh = text(either(text(someone.zh, str(year), "年"), text(str(year), "年", someone.zh)), zh)
        return Pair(f"{someone.en} was born in {goal.en} in {year}", zh)
    if draw < 0.9:
        return _favourite(dice)
    other = phrases.name(dice)
    while other.en == someone.en or other.en in someone.en:
        other = phrases.name(dice)
    relation = dice.one(
        (("classmates", "同學"), ("good friends", "好朋友"), ("colleagues", "同事"), ("neighbors", "鄰居"),
         ("roommates", "室友"), ("old friends", "老朋友"), ("partners", "合夥人"))
    )  # fmt: skip
    both = text(someone.zh, either("和", "跟"), other.zh, "是", relation[1])
    return Pair(f"{someone.en} and {other.en} are {relation[0]}", both)


FAVOURITES = (
    ("subject", "科目", "subject"), ("sport", "運動", "sport football"), ("fruit", "水果", "fruit"),
    ("food", "食物", "dish"), ("drink", "飲料", "drink"), ("animal", "動物", "animal"),
    ("flower", "花", "plant"), ("instrument", "樂器", "instrument"), ("language", "語言", "language"),
)  # fmt: skip


def _favourite(dice: Dice) -> Pair:
    en, zh, classes = dice.one(FAVOURITES)
    noun = dice.word(lexicon.table_of(classes))
    owner, owner_zh = phrases.possessor(dice)
    form = (
        noun.en if noun.kind != "count" else f"the {noun.en}" if en == "instrument" else noun.plural
    )
    verb = "are" if form == noun.plural and noun.kind == "count" else "is"
    en = (
        f"{owner} favorite {en} {verb} {form}"
        if verb == "is"
        else f"{owner} favorite {en}s are {form}"
    )
    zh_text = text(owner_zh[:1], either("最喜歡的", "最愛的"), zh, "是", synonyms(noun.zh))
    return Pair(en.replace("foods are", "foods are"), zh_text)
