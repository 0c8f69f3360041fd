"""A short finished run of homework 11, for the tests that look into one."""

from contextlib import closing
from pathlib import Path

import torch

from mlspring.core.runs import Request, Run
from mlspring.core.source import official
from mlspring.homeworks.hw11_adaptation import data, train
from mlspring.homeworks.hw11_adaptation.recipe import Recipe
from mlspring.kit.device import Hardware
from tests.tiny.domains import write_domains
from tests.tiny.random_domains import recipe

CPU = Hardware(device=torch.device("cpu"), precision="fp32", channels_last=False)


def finished(tmp_path: Path, *overrides: str) -> tuple[Run, data.Data, Recipe]:
    """Return a run of a few steps on the tiny folder, its data and its recipe."""
    folder = tmp_path / "data"
    if not folder.exists():
        write_domains(folder)
    knobs = recipe(*overrides)
    loaded = data.load(official(folder), knobs)
    request = Request(homework="hw11", recipe="simple", device="cpu", precision="fp32")
    with closing(Run.create(tmp_path / "runs", request, "")) as run:
        train.train(knobs, loaded, run)
    return run, loaded, knobs
