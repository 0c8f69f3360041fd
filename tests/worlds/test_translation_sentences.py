"""Sentences of fixed derivations, written by hand in both languages."""

import pytest

from mlspring.worlds.translation import determiners, doings, lexicon
from mlspring.worlds.translation.adjuncts import Adjunct
from mlspring.worlds.translation.clauses import Clause, question, spoken, statement
from mlspring.worlds.translation.determiners import Described, synonyms
from mlspring.worlds.translation.dice import Dice
from mlspring.worlds.translation.doings import Doing, doing
from mlspring.worlds.translation.entries import Verb
from mlspring.worlds.translation.morphology import BE
from mlspring.worlds.translation.pronouns import HE, SHE, THEY, Phrase, Relative, of_pronoun
from mlspring.worlds.translation.relatives import gapped, led
from mlspring.worlds.translation.target import either, listing, text


class Steady(Dice):
    """Chance that never takes what is optional: no contraction, no second thought."""

    def chance(self, share: float) -> bool:
        return False


DICE = Steady([1])
TOM, MARY = Phrase("Tom", ["湯姆"], HE), Phrase("Mary", ["瑪麗"], SHE)
YESTERDAY = Adjunct("yesterday", ["昨天"])
TOMORROW = Adjunct("tomorrow", ["明天"])
IN_TAIPEI = Adjunct("in Taipei", ["在", "台北"])
CAREFULLY = Adjunct("carefully", ["仔細地"])


def noun(
    en: str,
    determiner: str,
    adjective: tuple[str, str] = ("", ""),
    role: str = "object",
    relative: Relative | None = None,
) -> Phrase:
    """Return a phrase with a given determiner; "3" counts three."""
    word = lexicon.noun_named(en)
    adjectives = (adjective[0],) if adjective[0] else ()
    zh = text(adjective[1], synonyms(word.zh))
    described = Described(word, adjectives, zh, relative, role)
    if word.kind == "mass":
        return determiners.mass(DICE, described, determiner)
    if word.kind == "pair":
        return determiners.pair(DICE, described, determiner)
    many = determiner in determiners.PLURAL_ONLY or determiner == "the several"
    build = determiners.plural if many else determiners.singular
    return build(DICE, described, determiner.removesuffix(" several"))


def verb(base: str, zh: str) -> Verb:
    return next(
        one for one in lexicon.verbs() if one.forms.base == base and "".join(one.zh[0][:1]) == zh
    )


def of(base: str, zh: str, phrase: Phrase | None = None) -> Doing:
    return doing(verb(base, zh), phrase)


def adjective(en: str, zh: str) -> Doing:
    return Doing(BE, en, ((zh,),), "quality")


BOOK, HAT, SHIRT = noun("book", "a"), noun("hat", "a", ("red", "紅色的")), noun("shirt", "this")
BOUGHT = gapped(
    DICE,
    lexicon.noun_named("book"),
    Clause(subject=TOM, doing=of("buy", "買"), tense="past", time=YESTERDAY),
)
SHOUTED = led(
    lexicon.noun_named("teacher"),
    Clause(subject=MARY, doing=of("shout", "大叫"), tense="past", time=YESTERDAY),
)

STATEMENTS = [
    (Clause(subject=TOM, doing=of("buy", "買", BOOK), tense="past", time=YESTERDAY),
     "Tom bought a book yesterday", "湯姆昨天買了一本書", "昨天湯姆買了一本書"),
    (Clause(subject=TOM, doing=of("read", "讀", BOOK), tense="past", place=IN_TAIPEI),
     "Tom read a book in Taipei", "湯姆在台北讀了一本書", "湯姆在台北看了一本書"),
    (Clause(subject=MARY, doing=of("wear", "戴", HAT), tense="now"),
     "Mary is wearing a red hat", "瑪麗戴著一頂紅色的帽子", ""),
    (Clause(subject=MARY, doing=of("wear", "穿", SHIRT), tense="past"),
     "Mary wore this shirt", "瑪麗穿了這件襯衫", ""),
    (Clause(subject=TOM, doing=of("wash", "洗", SHIRT), tense="now", manner=CAREFULLY),
     "Tom is washing this shirt carefully", "湯姆正在仔細地洗這件襯衫", "湯姆在仔細地洗這件襯衫"),
    (Clause(subject=TOM, doing=of("work", "工作"), tense="now", place=IN_TAIPEI),
     "Tom is working in Taipei", "湯姆正在台北工作", "湯姆在台北工作"),
    (Clause(subject=TOM, doing=of("swim", "游"), tense="experience", place=IN_TAIPEI),
     "Tom has swum in Taipei before", "湯姆在台北游過泳", ""),
    (Clause(subject=TOM, doing=of("swim", "游"), tense="experience", negated=True),
     "Tom has never swum", "湯姆從來沒有游過泳", "湯姆從沒游過泳"),
    (Clause(subject=TOM, doing=of("buy", "買", noun("car", "bare")), tense="past", negated=True),
     "Tom did not buy cars", "湯姆沒有買車子", "湯姆沒買汽車"),
    (Clause(subject=TOM, doing=of("like", "喜歡", noun("cat", "bare")), tense="present"),
     "Tom likes cats", "湯姆喜歡貓", ""),
    (Clause(subject=of_pronoun(THEY), doing=of("like", "喜歡", noun("cat", "bare")),
            tense="present", negated=True),
     "they do not like cats", "他們不喜歡貓", ""),
    (Clause(subject=MARY, doing=of("play", "彈", noun("piano", "generic")), tense="future"),
     "Mary will play the piano", "瑪麗會彈鋼琴", "瑪麗將會彈鋼琴"),
    (Clause(subject=MARY, doing=of("play", "拉", noun("violin", "generic")), tense="can"),
     "Mary can play the violin", "瑪麗可以拉小提琴", "瑪麗能拉小提琴"),
    (Clause(subject=TOM, doing=of("open", "打開", noun("door", "the")), tense="past"),
     "Tom opened the door", "湯姆把那扇門打開了", "湯姆打開了門"),
    (Clause(subject=TOM, doing=of("open", "打開", noun("door", "a")), tense="past"),
     "Tom opened a door", "湯姆打開了一扇門", ""),
    (Clause(subject=TOM, doing=of("pick up", "撿起來", noun("coin", "the")), tense="past"),
     "Tom picked up the coin", "湯姆把那枚硬幣撿起來了", "湯姆把硬幣撿起來了"),
    (Clause(subject=TOM, doing=of("pick up", "撿起來", of_pronoun(determiners.A_PAIR)),
            tense="past"),
     "Tom picked them up", "湯姆把它撿起來了", ""),
    (Clause(subject=TOM, doing=of("chat with", "跟", MARY), tense="past", place=IN_TAIPEI),
     "Tom chatted with Mary in Taipei", "湯姆在台北跟瑪麗聊天", "湯姆在台北跟瑪麗聊了天"),
    (Clause(subject=TOM, doing=of("drink", "喝", noun("beer", "portion")), tense="past"),
     "Tom drank a bottle of beer", "湯姆喝了一瓶啤酒", ""),
    (Clause(subject=TOM, doing=of("need", "需要", noun("gloves", "a")), tense="present"),
     "Tom needs a pair of gloves", "湯姆需要一副手套", "湯姆需要一雙手套"),
    (Clause(subject=noun("student", "every", role="subject"), doing=of("leave", "離開"),
            tense="past"),
     "every student left", "每個學生都離開了", "每一名學生都離開了"),
    (Clause(subject=noun("cat", "several", role="subject"), doing=of("run away", "跑掉"),
            tense="past"),
     "several cats ran away", "好幾隻貓跑掉了", "有好幾隻貓跑走了"),
    (Clause(subject=TOM, doing=adjective("tall", "高"), tense="present"),
     "Tom is tall", "湯姆很高", ""),
    (Clause(subject=TOM, doing=adjective("rich", "有錢"), tense="present", negated=True),
     "Tom is not rich", "湯姆沒有錢", "湯姆沒錢"),
    (Clause(subject=TOM, doing=of("find", "找到", noun("book", "the", relative=BOUGHT)),
            tense="future"),
     "Tom will find the book that Tom bought yesterday", "湯姆會找到湯姆昨天買的那本書",
     "湯姆會找到那本湯姆昨天買的書"),
    (Clause(subject=TOM, doing=of("see", "看到", noun("book", "a", relative=BOUGHT)),
            tense="past"),
     "Tom saw a book that Tom bought yesterday", "湯姆看到了一本湯姆昨天買的書",
     "湯姆看見了湯姆昨天買的一本書"),
    (Clause(subject=noun("teacher", "the", role="subject", relative=SHOUTED),
            doing=of("laugh", "笑"), tense="past", time=YESTERDAY),
     "the teacher who shouted yesterday laughed yesterday", "昨天大叫的那位老師昨天笑了", ""),
    (Clause(subject=MARY, doing=of("sleep", "睡"), tense="perfect"),
     "Mary has already slept", "瑪麗已經睡覺了", "瑪麗已經睡了覺"),
    (Clause(subject=MARY, doing=of("buy", "買", noun("book", "these")), tense="going",
            time=TOMORROW),
     "Mary is going to buy these books tomorrow", "瑪麗明天要買這些書", "明天瑪麗打算買這些書"),
    (Clause(subject=MARY, doing=of("give up", "放棄"), tense="perfect", negated=True),
     "Mary has not given up yet", "瑪麗還沒有放棄", "瑪麗還沒放棄"),
]  # fmt: skip


@pytest.mark.parametrize(("clause", "en", "zh", "also"), STATEMENTS)
def test_statements(clause: Clause, en: str, zh: str, also: str) -> None:
    ways = listing(spoken(clause))
    assert statement(DICE, clause) == en
    assert ways[0] == zh
    assert not also or also in ways


@pytest.mark.parametrize(
    ("clause", "en"),
    [
        (STATEMENTS[0][0], "did Tom buy a book yesterday"),
        (STATEMENTS[6][0], "has Tom ever swum in Taipei"),
        (STATEMENTS[9][0], "does Tom like cats"),
        (STATEMENTS[10][0], "do they like cats"),
        (STATEMENTS[12][0], "can Mary play the violin"),
        (STATEMENTS[22][0], "is Tom tall"),
    ],
)
def test_questions_move_the_auxiliary_in_english_alone(clause: Clause, en: str) -> None:
    assert question(DICE, clause) == en


def test_what_chinese_does_not_say_is_not_accepted() -> None:
    bought = listing(spoken(STATEMENTS[0][0]))
    assert bought == ["湯姆昨天買了一本書", "昨天湯姆買了一本書"]
    picked = listing(spoken(STATEMENTS[15][0]))
    assert all("把" in way for way in picked)  # 撿起來 takes no object after it
    finds = listing(spoken(STATEMENTS[24][0]))
    assert not any("買了" in way or "買的了" in way for way in finds)


def test_a_choice_inside_a_choice_is_listed_once() -> None:
    assert listing(either("a", either("a", "b"))) == ["a", "b"]


def test_tenses_that_deny_differ_in_chinese() -> None:
    one = of("buy", "買", noun("book", "this"))
    said = {
        tense: listing(text(*doings.chinese(one, tense, True)))[0]
        for tense in ("past", "present", "future", "perfect", "experience", "now", "should")
    }
    assert said == {
        "past": "沒有買這本書",
        "present": "不買這本書",
        "future": "不會買這本書",
        "perfect": "還沒有買這本書",
        "experience": "從來沒有買過這本書",
        "now": "沒有在買這本書",
        "should": "不應該買這本書",
    }
