"""Families about numbers and about who is who."""

from mlspring.worlds.translation import adjuncts, lexicon, numerals, phrases
from mlspring.worlds.translation.clauses import Clause, joined
from mlspring.worlds.translation.determiners import possessor, synonyms
from mlspring.worlds.translation.dice import Dice
from mlspring.worlds.translation.doings import Doing
from mlspring.worlds.translation.families_plain import Pair, told
from mlspring.worlds.translation.morphology import verb_forms, with_article
from mlspring.worlds.translation.pronouns import IT, Phrase
from mlspring.worlds.translation.relatives import sometimes
from mlspring.worlds.translation.target import Text, either, text

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
    size = int(10 ** (least + dice.below(most - least + 1)))
    digits = 1 + dice.below(9) if dice.chance(0.5) else 10 + dice.below(90)
    return digits * size if digits < 10 else digits * size // 10


def _counted(dice: Dice, least: int, most: int) -> tuple[str, Text]:
    number = round_number(dice, least, most)
    return numerals.english(number), text(numerals.chinese(number))


PRICES = (
    ("garment accessory", 2, 4), ("vehicle", 5, 6), ("device furniture", 3, 4), ("text", 2, 2),
    ("jewel artwork", 4, 6), ("instrument", 4, 5), ("kitchenware stationery toy", 1, 3),
)  # fmt: skip


def _price(dice: Dice) -> Pair:
    classes, least, most = dice.one(PRICES)
    determiner = dice.one(("the", "this", "that"))
    thing = phrases.noun_phrase(
        dice, lexicon.table_of(classes), role="subject", determiner=determiner, adjective=0.6,
        relate=sometimes(0.5),
    )  # fmt: skip
    en, zh = _counted(dice, least, most)
    many = thing.plural
    costs = either(text("要", zh, "元"), text("賣", zh, "元"), text("要", zh, "塊錢"))
    return Pair(f"{thing.en} {'cost' if many else 'costs'} {en} dollars", text(thing.zh, costs))


TALL = "=tower =bridge =pine_tree =mountain =skyscraper =pagoda =lighthouse =castle =hill"
SIZES = (
    (TALL, "meter", "tall", "公尺", "高"),
    ("=river =bridge =road =tunnel =street =canal =trail", "kilometer", "long", "公里", "長"),
    ("=lake =river =well =pond =canal", "meter", "deep", "公尺", "深"),
    ("=road =river =street =bridge =valley", "meter", "wide", "公尺", "寬"),
)


def _size(dice: Dice) -> Pair:
    if dice.chance(0.4):
        someone = phrases.name(dice) if dice.chance(0.5) else phrases.kin(dice)
        age = 3 + dice.below(90)
        zh = text(someone.zh, numerals.chinese(age), "歲")
        return Pair(f"{someone.en} is {numerals.english(age)} years old", zh)
    nouns, unit, word, zh_unit, zh_word = dice.one(SIZES)
    table = lexicon.table_of(nouns)
    determiner = dice.one(("the", "this", "that"))
    thing = phrases.noun_phrase(dice, table, role="subject", determiner=determiner)
    en, zh = _counted(dice, 1, 2)
    sized = either(text("有", zh, zh_unit, zh_word), text(zh, zh_unit, zh_word))
    return Pair(f"{thing.en} is {en} {unit}s {word}", text(thing.zh, sized))


CROWDED = (
    "=concert =wedding =exhibition =festival =parade =speech =lecture =debate =game =race "
    "=tournament =ceremony =book_fair =fashion_show =funeral =performance"
)


def _crowd(dice: Dice) -> Pair:
    about, zh_about = dice.one(
        (("", text()), ("about", either("大約", "大概")), ("more than", text("超過")))
    )
    if dice.chance(0.45):
        en, zh = _counted(dice, 5, 6)
        city = dice.word(lexicon.words("places", "cities", "words"))
        there = either(
            text("有", zh_about, zh, "人", "住在", city.zh[0]),
            text(city.zh[0], "住著", zh_about, zh, "人"),
        )
        return Pair(joined(about, en, "people live in", city.en), there)
    en, zh = _counted(dice, 2, 4)
    nouns = lexicon.table_of(CROWDED)
    event = phrases.noun_phrase(dice, nouns, determiner="the", plural=False)
    time = adjuncts.time(dice, "past")
    did = text("有", zh_about, zh, "人", either("參加了", "出席了"), event.zh)
    en = joined(about, en, "people attended", event.en, time.en if time else "")
    return Pair(en, text(time.zh if time else "", did))


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


STOCKS = (
    (("library", "bookstore", "school"), "text", 3, 5), (("museum", "gallery"), "artwork", 2, 4),
    (("park", "garden", "botanical garden"), "tree plant", 2, 4), (("zoo",), "animal bird", 2, 3),
    (("department store", "hotel"), "furniture garment", 2, 4),
    (("market", "supermarket"), "fruit", 2, 4),
)  # fmt: skip
STAFF = "=worker =engineer =teacher =programmer =secretary =clerk =driver =designer =researcher"


def _stock(dice: Dice) -> Pair:
    if dice.chance(0.5):
        places, classes, least, most = dice.one(STOCKS)
        place = dice.word(lexicon.places())
        while place.en not in places:
            place = dice.word(lexicon.places())
        owner = Phrase(f"the {place.en}", synonyms(place.zh), IT)
    else:
        classes, least, most = STAFF, 2, 4
        nouns = lexicon.table_of("=company =factory =airline =publishing_house =trading_company")
        owner = phrases.noun_phrase(
            dice, nouns, role="subject", determiner=dice.one(("the", "this", "that"))
        )
    en, zh = _counted(dice, least, most)
    noun = dice.word(lexicon.table_of(classes))
    while noun.kind != "count":
        noun = dice.word(lexicon.table_of(classes))
    adjectives, described = phrases.adjectives_for(dice, noun, 0.3)
    words = " ".join([*adjectives, noun.plural])
    zh = text(owner.zh, "有", zh, synonyms(noun.measures), described, synonyms(noun.zh))
    return Pair(f"{owner.en} has {en} {words}", zh)


# ---- who is who


def naming(dice: Dice) -> Pair:
    """Return who somebody is, was or became, where from, whose favourite is what."""
    draw = dice.number()
    someone = phrases.name(dice) if dice.chance(0.55) else phrases.kin(dice)
    if draw < 0.55:
        return _profession(dice, someone)
    if draw < 0.7:
        goal = adjuncts.destination(dice, True)
        year = 1950 + dice.below(60)
        zh = either(text("出生", "在", goal.zh), text("在", goal.zh, "出生"))
        zh = text(either(text(someone.zh, str(year), "年"), text(str(year), "年", someone.zh)), zh)
        return Pair(f"{someone.en} was born in {goal.en} in {year}", zh)
    if draw < 0.87:
        return _favourite(dice)
    other = phrases.name(dice)
    while other.en in someone.en:
        other = phrases.name(dice)
    relation = dice.one(RELATIONS)
    both = text(someone.zh, either("和", "跟"), other.zh, "是", relation[1])
    return Pair(f"{someone.en} and {other.en} are {relation[0]}", both)


def _profession(dice: Dice, someone: Phrase) -> Pair:
    role = dice.word(lexicon.table_of("role"))
    while role.en in lexicon.named("no_profession") or role.measures[0] != "位":
        role = dice.word(lexicon.table_of("role"))
    word, counted = synonyms(role.zh), text("一", synonyms(role.measures))
    draw = dice.number()
    if draw < 0.35:
        adjectives, zh = phrases.adjectives_for(dice, role, 0.5)
        words = with_article(" ".join([*adjectives, role.en]))
        counted = counted if adjectives else either(counted, "")
        return Pair(f"{someone.en} is {words}", text(someone.zh, "是", counted, zh, word))
    if draw < 0.55:
        place = adjuncts.city(dice)
        works = text(someone.zh, place.zh, either("當", "做"), word)
        return Pair(f"{someone.en} works as {with_article(role.en)} {place.en}", works)
    if draw < 0.75:
        was = either("以前是", "曾經是")
        en = f"{someone.en} used to be {with_article(role.en)}"
        return Pair(en, text(someone.zh, was, either(counted, ""), word))
    time = adjuncts.time(dice, "past")
    subject = text(someone.zh)
    if time:
        subject = either(text(someone.zh, time.zh), text(time.zh, someone.zh))
    became = text(either("成為", "當上"), "了", either(counted, ""), word)
    en = joined(someone.en, "became", with_article(role.en), time.en if time else "")
    return Pair(en, text(subject, became))


RELATIONS = (
    ("classmates", "同學"),
    ("good friends", "好朋友"),
    ("colleagues", "同事"),
    ("neighbors", "鄰居"),
    ("roommates", "室友"),
    ("old friends", "老朋友"),
    ("partners", "合夥人"),
)
FAVOURITES = (
    ("subject", "科目", "subject"), ("sport", "運動", "sport football"), ("fruit", "水果", "fruit"),
    ("food", "食物", "dish"), ("drink", "飲料", "drink"), ("animal", "動物", "animal"),
    ("flower", "花", "plant"), ("instrument", "樂器", "instrument"),
    ("language", "語言", "language"),
)  # fmt: skip


def _favourite(dice: Dice) -> Pair:
    kind, zh, classes = dice.one(FAVOURITES)
    noun = dice.word(lexicon.table_of(classes))
    owner, owner_zh = possessor(dice)
    is_one = noun.kind in ("bare", "mass") or kind == "instrument"
    form = f"the {noun.en}" if kind == "instrument" else noun.en if is_one else noun.plural
    verb = "is" if is_one else "are"
    en = f"{owner} favorite {kind if is_one else f'{kind}s'} {verb} {form}"
    who = owner_zh[:1]  # without 的
    return Pair(en, text(who, either("最喜歡的", "最愛的"), zh, "是", synonyms(noun.zh)))
