"""The page about a run: whole, escaped, and true to the run folder."""

import base64
import json
import shlex
import shutil
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import Field

from mlspring import catalog
from mlspring.core.errors import DataError, RunError
from mlspring.core.recipe import Section, dump_recipe
from mlspring.core.runs import Request, Run
from mlspring.core.spec import Limits, Metric, Points, Question, Spec
from mlspring.verbs.report.page import report

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'
ACCURACY = Metric(name="accuracy", higher_is_better=True, unit="share of marbles", digits=3)
ERROR = Metric(name="error", higher_is_better=False, unit="squared", digits=3)


class TrainKnobs(Section):
    epochs: int = Field(description="passes over the marbles")
    learning_rate: float = Field(description="largest rate")
    limit: int | None = Field(default=None, description="marbles, all where it is left out")


class Recipe(Section):
    name: str = Field(description="what it is called")
    train: TrainKnobs


class Page(HTMLParser):
    """What a reader of the page gets: its tags and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.source = text
        self.feed(text)
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] != "style":
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Spec:
    folder = tmp_path / "hw90_marbles"
    recipes = folder / "recipes" / "world"
    recipes.mkdir(parents=True)
    for level, epochs in (("simple", 3), ("medium", 8), ("strong", 9), ("boss", 10)):
        knobs = TrainKnobs(epochs=epochs, learning_rate=0.01)
        (recipes / f"{level}.toml").write_text(dump_recipe(Recipe(name="net", train=knobs)))
    (folder / "baselines.toml").write_text(
        '[world]\norigin = "measured by nobody"\n'
        "[world.public]\nsimple = 0.4\nmedium = 0.6\nstrong = 0.7\nboss = 0.8\n"
        "[world.private]\nsimple = 0.4\nmedium = 0.65\n"
    )
    found = Spec(
        id="hw90",
        folder=folder,
        title="Marbles",
        title_zh="彈珠",
        topic="Round things",
        summary="A marble -> its colour.",
        metric=ACCURACY,
        submission="table",
        submission_name="submission.csv",
        limits=Limits(max_bytes=10, max_rows=10),
        points=Points(public=0.5, private=0.25),
        questions=(
            Question(id="one", text="Which marbles are lost?", figure="lost"),
            Question(id="curves", text="How did it learn?", figure="learning_curves"),
        ),
    )
    monkeypatch.setattr(catalog, "find", lambda homework: found)
    monkeypatch.setattr(catalog, "part", lambda spec, name: SimpleNamespace(Recipe=Recipe))
    return found


Make = Callable[..., Run]


@pytest.fixture
def make(spec: Spec, tmp_path: Path) -> Make:
    """Return a maker of run folders; keywords replace what a good run has."""

    def build(*, figures: bool = True, finished: bool = True, **changes: Any) -> Run:
        request = Request(
            homework="hw90",
            recipe=changes.get("recipe", "medium"),
            data=changes.get("data", "world"),
            seed=3,
        )
        knobs = TrainKnobs(epochs=changes.get("epochs", 8), learning_rate=0.01)
        text = changes.get("toml", dump_recipe(Recipe(name="net", train=knobs)))
        run = Run.create(tmp_path / "runs", request, text)
        for epoch in (1, 2, 3):
            run.log(step=10 * epoch, epoch=epoch, train__loss=1.0 / epoch, valid__loss=1.1 / epoch)
        (run.folder / "data.json").write_text(json.dumps(changes.get("facts", {"marbles": "12"})))
        run.note(device="cpu", precision="bf16")
        if figures:
            run.figures.mkdir()
            for name in ("lost", "learning_curves"):
                (run.figures / f"{name}.png").write_bytes(PNG)
                (run.figures / f"{name}.svg").write_bytes(SVG)
                (run.figures / f"{name}.csv").write_text("a\n1\n")
        if finished:
            score = {"public": 0.712, "private": 0.612, "validation": 0.75}
            seconds = {"data": 1.5, "train": 125.0, "total": 127.0}
            run.finish(
                {
                    "score": changes.get("score", score),
                    "points": {"public": 1.5, "private": 0.25},
                    "seconds": seconds,
                    "peak_memory_mib": 1234.5,
                    "items_per_second": 5678.0,
                }
            )
        run.close()
        return run

    return build


def read(run: Run) -> Page:
    path = report(run)
    assert path == run.folder / "report.html"
    return Page(path.read_text(encoding="utf-8"))


def test_the_page_holds_everything_and_needs_nothing(make: Make) -> None:
    page = read(make())
    assert page.all("script") == []
    assert page.all("link") == []
    assert [image["src"][:22] for image in page.all("img") if image["src"]] == [
        "data:image/svg+xml;bas",
        "data:image/svg+xml;bas",
    ]
    assert all(image["alt"] for image in page.all("img"))
    targets = [link["href"] or "" for link in page.all("a")]
    assert all(target.startswith("#") for target in targets)
    identifiers = {attributes.get("id") for _, attributes in page.tags}
    assert {target[1:] for target in targets} <= identifiers
    outside = page.source.replace("http://www.w3.org/2000/svg", "")
    assert "http:" not in outside
    assert "https:" not in outside
    assert "url(" not in outside


def test_the_page_tells_task_data_score_cost_and_machine(make: Make) -> None:
    run = make()
    text = read(run).text
    for words in (
        "Marbles 彈珠",
        "A marble → its colour.",
        "accuracy (share of marbles); higher is better",
        "marbles 12",
        "0.712 reaches strong",
        "0.612 reaches simple",
        "0.750 on data held out",
        "2 min 07 s",
        "1,234 MiB",
        "train 2 min 05 s",
        "cpu bf16",
        "Points: 1.5 public, 0.25 private.",
        "measured by nobody",
        "mlspring run hw90 medium --seed 3",
        "How did it learn? See Figure 1",
        "train loss goes from 1 to 0.333",
    ):
        assert words in text, words
    assert "strong 0.700 ✓ reached -" in text
    assert "medium 0.600 ✓ reached 0.650 missed" in text


def test_the_recipe_shows_what_differs_from_the_level_below(make: Make) -> None:
    page = read(make())
    assert "1 of 3 numbers differ from simple , the level below:" in page.text
    assert "train. epochs passes over the marbles 3 8" in page.text
    assert "Changed for this run" not in page.text
    assert "none below to compare it with" in read(make(recipe="simple", epochs=3)).text


def test_a_set_value_is_marked_and_kept_in_the_command(make: Make) -> None:
    page = read(make(epochs=50))
    assert "Changed for this run: train.epochs = 50 instead of 8 ." in page.text
    assert "mlspring run hw90 medium --set train.epochs=50 --seed 3" in page.text


def test_a_value_that_the_level_leaves_out_is_kept_in_the_command(make: Make) -> None:
    knobs = TrainKnobs(epochs=8, learning_rate=0.01, limit=5)
    page = read(make(toml=dump_recipe(Recipe(name="net", train=knobs))))
    assert "2 of 4 numbers differ from simple" in page.text
    assert "Changed for this run: train.limit = 5 instead of nothing ." in page.text
    assert "mlspring run hw90 medium --set train.limit=5 --seed 3" in page.text


def test_a_recipe_of_the_users_own_is_run_again_from_the_run_folder(make: Make) -> None:
    run = make(recipe="mine", data="my pictures")
    expected = ["mlspring", "run", "hw90", str(run.folder / "recipe.toml")]
    command = shlex.join([*expected, "--data", "my pictures", "--seed", "3"])
    page = read(run)
    assert command in page.text
    assert "No answers belong to this data" in page.text


def test_nothing_of_the_users_is_markup(make: Make) -> None:
    evil = "<script>alert(1)"
    run = make(recipe=evil, facts={evil: '"><img src=x onerror=alert(1)>'})
    run.writable = True
    run.log(epoch=4, **{f'valid/"{evil}': 1.0})
    run.log(epoch=5, **{f'valid/"{evil}': 2.0})
    run.close()
    page = read(run)
    assert page.all("script") == []
    assert "<script" not in page.source
    assert "&lt;script&gt;alert(1)" in page.source
    assert not any("onerror" in attributes for _, attributes in page.tags)
    assert len(page.all("img")) == 2


def test_a_missing_figure_names_the_command_that_draws_it(make: Make) -> None:
    run = make(figures=False)
    page = read(run)
    assert page.all("img") == []
    hint = f"The figure lost was not drawn in this run. To draw it: mlspring figures {run.folder}"
    assert hint in page.text
    assert len(page.all("polyline")) == 2  # the curves are drawn from the log instead


def test_the_png_stands_in_for_a_large_svg(make: Make) -> None:
    run = make()
    (run.figures / "lost.svg").write_bytes(SVG + b" " * 500_000)
    sources = [image["src"] or "" for image in read(run).all("img")]
    assert sorted(source.partition(";")[0] for source in sources) == [
        "data:image/png",
        "data:image/svg+xml",
    ]
    (run.figures / "lost.png").unlink()
    assert len(read(run).all("img")) == 2


def test_a_run_that_did_not_finish_says_how_to_go_on(make: Make) -> None:
    run = make(finished=False, figures=False)
    page = read(run)
    assert f"not finished. To finish it: mlspring resume {run.folder}" in page.text
    assert "no score" in page.text


def test_a_recipe_of_another_version_is_shown_as_it_is(make: Make) -> None:
    page = read(make(toml='name = "net"\nold_knob = 1\n'))
    assert "cannot be compared" in page.text
    assert "unknown key 'old_knob'" in page.text
    assert "old_knob = 1" in page.text


def test_a_damaged_file_of_the_run_is_named(make: Make) -> None:
    run = make()
    (run.folder / "data.json").write_text("{half")
    with pytest.raises(DataError, match=r"data\.json.*not valid JSON"):
        report(run)


# ---- what the page says is true, and what it advises can be done


def test_curves_of_several_networks_are_told_as_their_means(make: Make) -> None:
    run = make()
    lines = [
        {"step": step, "epoch": step, "member": member, "valid/loss": (member + 1) * (4 - step)}
        for member in range(2)
        for step in (1, 2, 3)
    ]
    (run.folder / "log.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    page = read(run)
    assert "valid loss goes from 4.5 to 1.5 (means of 2 networks)" in page.text  # both fall
    assert "0.750 on data held out, 2 networks together" in page.text


def test_equal_numbers_are_promised_for_equal_threads_only(make: Make) -> None:
    run = make()
    run.note(threads=3)
    page = read(run)
    assert "OMP_NUM_THREADS=3 mlspring run hw90 medium --seed 3" in page.text
    assert "number of threads (3) give the same numbers" in page.text
    assert "and GPU" not in page.text
    run.note(device="cuda")
    assert "kind of processor and GPU and number of threads" in read(run).text


@pytest.mark.parametrize(
    ("recipe", "again"),
    [
        ("world/medium", "run hw90 medium --seed 3"),
        ("laptop/medium", "run hw90 laptop/medium --seed 3"),
        ("my/medium.toml", "/recipe.toml --seed 3"),
    ],
)
def test_the_command_names_the_recipe_in_full_and_sets_nothing(
    recipe: str, again: str, make: Make, spec: Spec
) -> None:
    shutil.copytree(spec.folder / "recipes" / "world", spec.folder / "recipes" / "laptop")
    (spec.folder / "recipes" / "laptop" / "medium.toml").write_text(
        dump_recipe(Recipe(name="net", train=TrainKnobs(epochs=80, learning_rate=0.5)))
    )
    knobs = TrainKnobs(epochs=80, learning_rate=0.5) if "laptop" in recipe else None
    toml = {"toml": dump_recipe(Recipe(name="net", train=knobs))} if knobs else {}
    page = read(make(recipe=recipe, **toml))
    assert again in page.text
    assert "--set" not in page.text
    if recipe.startswith("laptop"):
        assert "differ from laptop/simple , the level below" in page.text


def test_a_homework_that_ranks_nothing_is_not_told_to_calibrate(
    make: Make, spec: Spec, monkeypatch: pytest.MonkeyPatch
) -> None:
    unranked = replace(spec, submission="none")
    (spec.folder / "baselines.toml").unlink()
    monkeypatch.setattr(catalog, "find", lambda homework: unranked)
    page = read(make())
    assert "mlspring calibrate" not in page.text
    assert "The course ranked nothing here" in page.text


def test_own_data_are_not_held_against_the_courses_baselines(make: Make, spec: Spec) -> None:
    path = spec.folder / "baselines.toml"
    path.write_text(
        path.read_text() + '[official]\norigin = "course"\n[official.public]\nboss = 0.99\n'
    )
    scores = {"public": None, "private": None, "validation": 0.75}
    page = read(make(data="my photos", score=scores))
    assert "0.990" not in page.text
    assert "No answers belong to this data" in page.text


def test_curves_that_another_figure_shows_are_not_missing(
    make: Make, spec: Spec, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = (Question(id="curves", text="How did it go?", figure="lost"),)
    monkeypatch.setattr(catalog, "find", lambda homework: replace(spec, questions=questions))
    page = read(make())
    assert "was not drawn" not in page.text
    assert page.text.count("Figure 1") == 2
    assert len(page.all("img")) == 1


def test_a_quantity_that_never_changes_is_no_panel(make: Make) -> None:
    run = make(figures=False)
    run.writable = True
    for step in (1, 2, 3):
        run.log(step=step, epoch=step, train__value_loss=0.0)
    run.close()
    page = read(run)
    assert "value loss" not in page.text.lower()
    assert len(page.all("polyline")) == 2


def test_an_animation_stands_under_its_figure(make: Make) -> None:
    run = make()
    (run.figures / "lost.gif").write_bytes(b"GIF89a")
    assert [str(image["src"])[:15] for image in read(run).all("img")].count("data:image/gif;") == 1


@pytest.mark.parametrize(
    "name", ["recipe.toml", "data.json", "log.jsonl", "figures/lost.png", "figures/lost.svg"]
)
def test_no_link_is_followed_out_of_a_run_folder(name: str, make: Make, tmp_path: Path) -> None:
    run = make()
    secret = tmp_path / "secret"
    secret.write_text('{"token": "s3cret"}')
    for suffix in (".png", ".svg"):
        if name.startswith("figures"):
            (run.figures / f"lost{suffix}").unlink()
    (run.folder / name).unlink(missing_ok=True)
    (run.folder / name).symlink_to(secret)
    with pytest.raises(RunError, match="is a link") as told:
        report(run)
    assert "s3cret" not in str(told.value)
    assert not (run.folder / "report.html").exists()
