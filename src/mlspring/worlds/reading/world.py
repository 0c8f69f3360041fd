"""A stand-in for the world of reading paragraphs: a dozen sentence forms about invented people."""

# ruff: noqa: E501, PLR0911

import csv
import json
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from mlspring.core.files import write_json
from mlspring.worlds.shards import Shard
from mlspring.worlds.world import World, join

SURNAMES = "陳林黃張李王吳劉蔡楊許鄭謝洪郭邱曾廖賴徐周葉蘇莊呂江何蕭羅高潘簡朱鍾游彭詹胡施沈余盧梁趙顏柯翁魏孫戴范方宋鄧杜傅侯曹薛丁馬蔣唐卓藍馮姚石董紀歐程連古汪湯姜田康鄒白"
GIVEN = "家豪志明俊傑建宏文雄雅婷淑芬美玲怡君欣宜佳穎惠如玉蘭秀英春花國華正義天賜承恩子軒宇翔柏睿品妍詩涵思妤語彤沛芸浩然景行望舒若谷懷瑾清和允中致遠克勤崇德延平秉文守仁"
PLACES = "臺基花嘉彰雲南北東西新竹苗栗屏山海埔溪湖潭港林園豐龍鳳水石金玉安和平大中寮坑崙"
KINDS = ("市", "縣", "鎮", "鄉", "村")
CRAFTS = (
    "畫家",
    "詩人",
    "化學家",
    "建築師",
    "作曲家",
    "醫師",
    "植物學家",
    "攝影師",
    "工程師",
    "歷史學家",
    "導演",
    "律師",
    "記者",
    "雕刻家",
    "天文學家",
)
SCHOOLS = ("大學", "學院", "師範學校", "中學", "書院")
WORKS = "月光河流風雪秋夜晨曦孤島遠方歸途星辰故鄉鐘聲霧雨燈塔橋影長巷春雷白鷺黃昏"
FACTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "birth": (
        ("{n}生於{v}。", "{v}，{n}出生。", "{n}的出生年份是{v}。"),
        ("{n}是哪一年出生的？", "{n}何時出生？", "請問{n}生於何年？"),
    ),
    "town": (
        ("{n}的故鄉是{v}。", "{n}在{v}長大。", "{n}自幼住在{v}。"),
        ("{n}來自哪裡？", "{n}的家鄉在什麼地方？", "{n}是在何處長大的？"),
    ),
    "craft": (
        ("{n}是一位{v}。", "{n}的職業是{v}。", "{n}以{v}為業。"),
        ("{n}從事什麼工作？", "{n}的身分為何？", "{n}靠什麼維生？"),
    ),
    "school": (
        ("{n}畢業於{v}。", "{n}曾就讀{v}。", "{v}是{n}的母校。"),
        ("{n}讀過哪一所學校？", "{n}在哪裡求學？", "{n}從何校畢業？"),
    ),
    "work": (
        ("{n}最著名的作品是{v}。", "{n}完成了{v}。", "{v}出自{n}之手。"),
        ("{n}的代表作叫什麼？", "{n}創作過哪一部作品？", "哪部作品是{n}做的？"),
    ),
    "spouse": (
        ("{n}與{v}結婚。", "{n}的配偶是{v}。", "{v}後來嫁娶{n}。"),
        ("{n}和誰成家？", "誰是{n}的另一半？", "{n}的伴侶叫什麼名字？"),
    ),
    "death": (
        ("{n}於{v}過世。", "{v}，{n}病逝。", "{n}在{v}離開人間。"),
        ("{n}什麼時候去世？", "{n}死於哪一年？", "{n}的卒年為何？"),
    ),
    "sum": (
        ("{n}捐出{v}。", "{n}共募得{v}。", "{n}把{v}交給了村民。"),
        ("{n}拿出了多少錢？", "{n}給出的金額是多少？", "{n}總共付出多少？"),
    ),
}
FILLER = ("當時交通並不方便。", "地方上的人至今仍常提起此事。", "這段往事後來被寫進地方志。", "學者對此有不同的看法。", "相關文件現存於檔案館。")  # fmt: skip


def reading_world(*, seed: int = 0) -> World:
    """Return the stand-in: 1,500 paragraphs to learn from, 150 to validate, 400 to answer."""
    return _world("reading", seed, (1500, 150, 400))


def tiny_reading_world(*, seed: int = 0) -> World:
    """Return a dozen paragraphs with the same files."""
    return _world("reading-tiny", seed, (6, 3, 4))


def _world(name: str, seed: int, sizes: tuple[int, int, int]) -> World:
    return World(
        name=name,
        title="reading paragraphs",
        description="paragraphs in Traditional Chinese about invented people, with questions",
        version=1,
        seed=seed,
        num_shards=3,
        make=partial(_make, sizes),
        write=_write,
    )


def _make(sizes: tuple[int, int, int], seed: int, shard: int) -> Shard:
    rng = np.random.default_rng([seed, shard])
    made = [_paragraph(rng) for _ in range(sizes[shard])]
    return {"paragraphs": np.array([json.dumps(one, ensure_ascii=False) for one in made])}


def _pick(rng: np.random.Generator, pool: Any, count: int = 1) -> str:
    return "".join(pool[int(i)] for i in rng.integers(len(pool), size=count))


def _value(rng: np.random.Generator, kind: str) -> str:
    if kind in ("birth", "death"):
        year = f"{rng.integers(1820, 2015)}年"
        return year + (
            f"{rng.integers(1, 13)}月{rng.integers(1, 29)}日" if rng.random() < 0.4 else ""
        )
    if kind == "town":
        return _pick(rng, PLACES, 2) + _pick(rng, KINDS)
    if kind == "craft":
        return _pick(rng, CRAFTS)
    if kind == "school":
        return _pick(rng, PLACES, 2) + _pick(rng, SCHOOLS)
    if kind == "work":
        return f"《{_pick(rng, WORKS, int(rng.integers(2, 7)))}》"
    if kind == "sum":
        return f"{rng.integers(1, 100)}萬{rng.integers(1, 1000)}元"
    return _pick(rng, SURNAMES) + _pick(rng, GIVEN, 2)


def _paragraph(rng: np.random.Generator) -> dict[str, Any]:
    text, asked = "", []
    for _ in range(int(rng.integers(3, 6))):
        name = _value(rng, "spouse")
        kinds = rng.permutation(list(FACTS))[: rng.integers(4, 8)]
        for place, kind in enumerate(kinds):
            value, (forms, questions) = _value(rng, kind), FACTS[kind]
            called = name if place == 0 or rng.random() < 0.3 else _pick(rng, ("他", "她"))
            before, after = _pick(rng, forms).replace("{n}", called).split("{v}")
            start = len(text) + len(before)
            text += before + value + after + (_pick(rng, FILLER) if rng.random() < 0.2 else "")
            asked.append([_pick(rng, questions).replace("{n}", name), value, start, kind])
    chosen = [asked[int(i)] for i in rng.permutation(len(asked))[:3]]
    return {"text": text, "questions": chosen}


def _write(shards: list[Shard], public: Path, private: Path) -> None:
    for part, shard in zip(("train", "dev", "test"), shards, strict=True):
        made = [json.loads(str(one)) for one in join([shard], "paragraphs")]
        questions: list[dict[str, Any]] = []
        answers, truth = [], []
        for paragraph, one in enumerate(made):
            for question, value, start, kind in one["questions"]:
                known = part != "test"
                number = len(questions)
                questions.append(
                    {
                        "id": number,
                        "paragraph_id": paragraph,
                        "question_text": question,
                        "answer_text": value if known else None,
                        "answer_start": start if known else None,
                        "answer_end": start + len(value) - 1 if known else None,
                    }
                )
                answers.append([number, value.replace(",", ""), ("Public", "Private")[number % 2]])
                truth.append({"id": number, "kind": kind, "distractors": 0, "distance": 0})
        write_json(
            public / f"hw7_{part}.json",
            {"questions": questions, "paragraphs": [one["text"] for one in made]},
        )
    with (private / "answers.csv").open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows([["ID", "Answer", "Usage"], *answers])
    write_json(private / "truth.json", truth)
