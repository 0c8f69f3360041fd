"""The grammar of the sentence pairs: both languages in order, meanings and pronouns bound."""

import re
from collections import Counter

import pytest

from mlspring.worlds.translation import lexicon
from mlspring.worlds.translation.dice import Dice
from mlspring.worlds.translation.grammar import FAMILIES, of_family, sentence
from mlspring.worlds.translation.target import draw, listing
from mlspring.worlds.translation.world import (
    rows,
)

WORD = r"(?:Mrs?\.|Dr\.|[A-Za-zé0-9'\-]+)"
EN = re.compile(rf'(?=[A-Z]){WORD}(?:,? "?{WORD})*(?:\?|\.|\."|\?")')
ZH = re.compile(r"[\u4e00-\u9fffT0-9，：「]+(。|？|。」)")


@pytest.fixture(scope="module")
def pairs() -> list[tuple[str, str, str]]:
    """Some 3,400 sentences: family, English, one Chinese translation."""
    found = []
    for family in FAMILIES:
        dice = Dice([7, 1], 0.4)
        for _ in range(200):
            pair = of_family(dice, family)
            found.append((family, pair.english, "".join(draw(pair.chinese, dice))))
    return found


def test_sentences_are_written_as_promised(pairs: list[tuple[str, str, str]]) -> None:
    for family, en, zh in pairs:
        assert EN.fullmatch(en), (family, en)
        assert ZH.fullmatch(zh), (family, zh)
        assert zh.count("「") == zh.count("」") == zh.count("：") == en.count('"') // 2
        assert (en[-1] == "?") == (zh[-1] == "？")


def test_articles_and_repeated_words(pairs: list[tuple[str, str, str]]) -> None:
    for _, en, zh in pairs:
        assert not re.search(r"\ba (?!one\b|uni|use|ukulele)[aeiou]", en), en
        assert not re.search(r"\ban (?!hour|honest)[^aeiou]", en, re.IGNORECASE), en
        assert not re.search(r"\b(\w+) \1\b", en.replace("that that", "")), en
        assert not re.search(r"的的|了了|嗎了|一一|們們|在在|[，。]{2}", zh), zh


def test_verbs_agree_with_pronouns(pairs: list[tuple[str, str, str]]) -> None:
    wrong = (
        r"^(He|She|It) (have|do|are|were|don't|haven't)\b",
        r"^(They|We|You) (has|does|is|was|doesn't|hasn't)\b",
        r"^I (has|does|is|are|were|doesn't)\b",
        r"\b(did|didn't|will|won't|would|can|can't|should) [a-z]+ (has|does|is|was|went|bought)\b",
    )
    for _, en, _ in pairs:
        assert not any(re.search(pattern, en) for pattern in wrong), en


MEASURES = {
    noun: measures
    for measures, nouns in {
        "本": "書 小說 字典 雜誌",
        "隻": "貓 狗 兔子 貓頭鷹",
        "頭": "大象",
        "條隻": "魚",
        "條": "蛇 裙子 褲子",
        "件": "襯衫 毛衣",
        "雙": "鞋子 襪子",
        "副雙": "手套",
        "頂": "帽子",
        "把": "雨傘 刀子 小提琴",
        "把支": "鑰匙",
        "張": "椅子 桌子 床 照片 地圖 票",
        "輛台": "腳踏車 公車",
        "列": "火車",
        "架": "飛機 鋼琴",
        "艘": "小船",
        "台": "電腦 照相機",
        "支": "長笛",
        "封": "信",
        "首": "詩 歌",
        "部": "電影",
        "幅": "圖畫",
        "朵": "花 玫瑰",
        "棵": "樹 松樹",
        "座": "橋 山 塔",
        "棟": "房子",
        "扇": "門",
        "面": "鏡子",
        "個顆": "蘋果",
        "根": "香蕉",
        "杯": "咖啡",
        "塊": "麵包",
        "碗": "湯",
        "位個": "老師",
        "個名": "學生",
        "家": "公司",
        "場": "比賽 會議",
        "枚只": "戒指",
    }.items()
    for noun in nouns.split()
}
QUANTITY = r"(?:[一二兩三四五六七八九十百千萬零]+|好?幾|[這那每哪])"
ADJECTIVE = r"(?:[紅白黑藍綠黃紫金銀]色的?|昂貴的|便宜的|漂亮的|有趣的|[大小新舊老好])?"


def miscounted(zh: str) -> list[str]:
    """Return the nouns of a sentence that stand after a measure word of others."""
    wrong = []
    for noun, measures in MEASURES.items():
        pattern = rf"{QUANTITY}([{''.join(ALL)}]){ADJECTIVE}{noun}(?=[。？，了被是有在很比的]|$)"
        wrong += [
            found[0] for found in re.finditer(pattern, zh) if found[1] not in measures
        ]  # fmt: skip
    return wrong


ALL = sorted({sign for measures in MEASURES.values() for sign in measures})


def test_measure_words_agree_with_their_nouns() -> None:
    found, seen = 0, Counter[str]()
    for row, _ in zip(rows(0, 0, "mono"), range(4000), strict=False):
        assert miscounted(row.zh) == [], row.zh
        for noun, measures in MEASURES.items():
            if re.search(
                rf"{QUANTITY}[{measures}]{ADJECTIVE}{noun}(?=[。？，了被是有在很比的]|$)", row.zh
            ):
                found, seen[noun] = found + 1, seen[noun] + 1
    assert found > 100 and len(seen) > 35
    assert miscounted("湯姆買了三隻新書。") == ["三隻新書"]  # a planted fault


def test_every_family_has_many_sentences(pairs: list[tuple[str, str, str]]) -> None:
    by_family = Counter(family for family, en, _ in set(pairs))
    assert set(by_family) == set(FAMILIES)
    assert min(by_family.values()) > 150  # of 200


def test_thousands_of_words_on_both_sides() -> None:
    """Chinese words are the grammar's own pieces; English ones stand between spaces."""
    english, chinese = set[str](), set[str]()
    dice = Dice([3, 1], 0.3)
    for _ in range(9000):
        _, pair = sentence(dice)
        english.update(re.findall(r"[a-z'\-]+", pair.english.lower()))
        chinese.update(draw(pair.chinese, dice))
    assert len(english) > 2500
    assert len({word for word in chinese if not word.isdigit()}) > 2500


def test_words_keep_their_meaning_by_object() -> None:
    """Wear a hat (戴) and a shirt (穿), play the piano (彈) and the violin (拉)."""
    for row, _ in zip(rows(1, 0, "train"), range(3000), strict=False):
        for noun, verb, others in (
            ("hat", "戴", "穿"),
            ("shirt", "穿", "戴"),
            ("piano", "彈", "拉吹打"),
            ("violin", "拉", "彈吹打"),
        ):
            if re.search(rf"\b(wears?|wore|play(s|ed)?) (the|a|that|this) {noun}\b", row.en):
                assert re.search(rf"{verb}[了過著]?", row.zh), row
                assert not re.search(
                    rf"[{others}](了|過|著)?[一那這]?[頂件架把]?[帽襯鋼小]", row.zh
                ), row


# ---- the far dependencies


def test_pronouns_are_bound_by_their_far_nouns() -> None:
    dice = Dice([11, 1], 0.5)
    seen = Counter[str]()
    animals = {noun.zh[0] for name in ("animal", "bird") for noun in lexicon.nouns()[name]}
    for _ in range(600):
        pair = of_family(dice, "pronoun")
        zh = listing(pair.chinese)[0]
        if re.search(r"because it |, (and then|but) \w+ .* it\b", pair.english):
            last = re.split("，", zh)[-1]
            bound = [sign for sign in "它牠" if sign in last]
            alive = any(noun in zh.rsplit("，", 1)[0] for noun in animals)
            if bound == ["牠"]:
                assert alive, zh
            seen["".join(bound)] += 1
    assert seen["它"] > 50 and seen["牠"] > 30


def test_two_meanings_take_the_measure_word_of_the_right_one() -> None:
    dice = Dice([12, 1], 0.5)
    for _ in range(300):
        pair = of_family(dice, "meaning")
        sense = next(
            sense
            for sense in lexicon.senses()
            if any(pair.en.endswith(said.en) for said in sense.predicates)
            and f"the {sense.en} " in pair.en
        )
        first = listing(pair.chinese)[0]
        assert re.search(rf"那({'|'.join(sense.measures)}){sense.zh}", first), first
