"""Back-translation (Sennrich et al. 2016, arXiv:1511.06709), in stages that one command runs.

A backward model learns Chinese to English from the real pairs; it translates Chinese text that has
no English; the surer ones of these pairs, real Chinese with synthetic English, are kept. They are
made once for all runs:

home()/back-translations/1f0c9a77d2e4b861/     hash of its recipe and of the text
    checkpoints/member-0.safetensors   the backward model; a resumable state while it is in training
    log.jsonl                          its learning curve
    synthetic.en synthetic.zh          the pairs, to be read by anyone who is curious
    made.json                          how many, and the backward model's BLEU: written last
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mlspring.core.errors import DataError, RunError
from mlspring.core.files import home, read_json, sha256, write_json
from mlspring.core.kept import kept
from mlspring.core.progress import say
from mlspring.core.runs import Request, Run
from mlspring.core.texts import read_lines, write_lines
from mlspring.homeworks.hw05_translation.batches import flat
from mlspring.homeworks.hw05_translation.cleaning import is_kept
from mlspring.homeworks.hw05_translation.data import Data, fingerprint
from mlspring.homeworks.hw05_translation.layout import MAX_BYTES, MAX_LINES, Pairs
from mlspring.homeworks.hw05_translation.models import build
from mlspring.homeworks.hw05_translation.recipe import BackKnobs, Recipe
from mlspring.homeworks.hw05_translation.search import Found, How, translate
from mlspring.homeworks.hw05_translation.tasks import Task, backward_task
from mlspring.homeworks.hw05_translation.vocabulary import Vocabulary
from mlspring.kit import checkpoint
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import Ranks
from mlspring.kit.seeding import epoch_order

VERSION = 1  # of the way that pairs are made and kept; part of the folder's name
SEED = 0  # of the backward model, and of what is drawn
EXCEPT = {"steps", "checkpoint_seconds"}

Train = Callable[[Task, Recipe, Run, Hardware], int]


def open_synthetic(
    recipe: Recipe,
    data: Data,
    words: Vocabulary,
    run: Run,
    hardware: Hardware,
    ranks: Ranks,
    train: Train,
) -> Pairs | None:
    """Return the synthetic pairs of a recipe, made at their first use; None: none is usable.

    Of several processes that ask at once one works and the others wait; under ``torchrun`` it is
    the first. ``train`` trains the backward model in the folder of the run that it gets; what was
    stopped goes on where it stood.

    Raises:
        DataError: there is no Chinese text to translate.
        RunError: a resumed run began with other pairs.
    """
    if not data.mono:
        found, fix = (
            "there is no Chinese text without English",
            "or do without: --set back.sentences=0",
        )
        raise DataError(
            found, expected="mono.zh or ted_zh_corpus.deduped beside the pairs", fix=fix
        )
    folder = folder_of(recipe, data)
    if ranks.is_main and not (folder / "made.json").exists():
        request = Request(homework="hw05", recipe="backward", seed=SEED)
        with kept(folder, request, doing="translating") as own:
            if not (folder / "made.json").exists():
                make(recipe, data, words, own, hardware, train)
    ranks.wait()
    if read_json(folder / "made.json")["kept"] == 0:
        say("no synthetic pair is usable: train the backward model longer, --set back.steps=..")
        return None
    return load(folder, run)


def make(
    recipe: Recipe, data: Data, words: Vocabulary, own: Run, hardware: Hardware, train: Train
) -> None:
    """Train the backward model unless it is there, translate, filter, and write the pairs."""
    task = backward_task(recipe, data, words)
    if not weights_path(own, 0).exists():
        train(task, recipe, own, hardware)
    model = build(recipe.model, len(words))
    checkpoint.load_weights(weights_path(own, 0), model)
    order = epoch_order(len(data.mono), SEED, 0)[: recipe.back.sentences]
    chinese = [data.mono[row] for row in order.tolist()]
    say(f"back-translation of {len(chinese):,} Chinese lines")
    how = How(beam=recipe.back.beam, seed=SEED)
    found = translate(hardware.to_device(model), flat(words.encode(chinese)), how, hardware)
    pairs = surest(chinese, words.english([one.tokens for one in found]), found, recipe.back)
    for name, lines in (("synthetic.en", pairs.english), ("synthetic.zh", pairs.chinese)):
        write_lines(own.folder / name, lines)
    bleu = checkpoint.read_metadata(weights_path(own, 0))["bleu"]
    told = {"translated": len(chinese), "kept": len(pairs), "backward_bleu": bleu}
    write_json(own.folder / "made.json", told)
    say(f"{len(pairs):,} pairs kept in {own.folder}; the backward model has BLEU {bleu:.1f}")


def surest(
    chinese: Sequence[str], english: Sequence[str], found: Sequence[Found], knobs: BackKnobs
) -> Pairs:
    """Return the pairs to learn from: the share ``keep`` of highest log probability a token.

    Pairs whose lengths do not fit are left out before. The order stays.
    """
    usable = [row for row, pair in enumerate(zip(english, chinese, strict=True)) if is_kept(*pair)]
    by_score = sorted(usable, key=lambda row: -found[row].score)
    rows = sorted(by_score[: round(knobs.keep * len(by_score))])
    return Pairs(english=[english[row] for row in rows], chinese=[chinese[row] for row in rows])


def load(folder: Path, run: Run) -> Pairs:
    """Return the pairs in ``folder``; the run notes which they are.

    Raises:
        RunError: a resumed run began with other pairs.
    """
    digest = sha256(folder / "synthetic.en")
    known = run.state.get("back_translation")
    if run.writable and known is not None and known["sha256"] != digest:
        found, fix = "the synthetic pairs have changed since this run began", "start a new run"
        raise RunError(found, file=run.folder, fix=fix)
    run.note(back_translation=read_json(folder / "made.json") | {"sha256": digest})
    english, chinese = (
        read_lines(folder / name, max_bytes=MAX_BYTES, max_lines=MAX_LINES)
        for name in ("synthetic.en", "synthetic.zh")
    )
    return Pairs(english=english, chinese=chinese)


def folder_of(recipe: Recipe, data: Data) -> Path:
    """Return where the synthetic pairs of a recipe are kept, whether or not they are there yet."""
    back = recipe.back.model_dump(exclude={"last_real"})
    parts: list[Any] = [VERSION, fingerprint(data), recipe.data.model_dump(), back]
    parts += [recipe.model.model_dump(), recipe.train.model_dump(exclude=EXCEPT)]
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
    return home() / "back-translations" / digest[:16]
