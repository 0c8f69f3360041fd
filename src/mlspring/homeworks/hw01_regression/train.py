"""The training loop of homework 1, written out; the same under ``torchrun``.

A run trains one network, or several: one for each block of time, repeated from other initial
weights. Every random choice is a function of (seed, member, step), so a resumed run ends with the
weights of an uninterrupted one.
"""

import copy
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.core.progress import bar
from mlspring.core.runs import Run, Training
from mlspring.homeworks.hw01_regression import blocks, features, models
from mlspring.homeworks.hw01_regression.data import Data
from mlspring.homeworks.hw01_regression.models import SurveyNet
from mlspring.homeworks.hw01_regression.recipe import Recipe, TrainKnobs
from mlspring.kit import checkpoint, device, distributed
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.kit.divergence import check_finite
from mlspring.kit.evaluate import predict_all
from mlspring.kit.schedules import lr_scale
from mlspring.kit.seeding import derive_seed, epoch_order, seed_everything

EVAL_BATCH = 8192
FRESH = {"step": 0, "seconds": 0.0, "sums": [0.0, 0.0], "best": float("inf"), "best_step": 0}


@dataclass(frozen=True, kw_only=True)
class Split:
    """Rows of one member: all n rows on the device, of which it uses two parts.

    Args:
        table: columns to choose from, float32 (n, d).
        starts: what a network's output is added to, float32 (n,): day 4 or zeros.
        targets: positive tests on day 5, float32 (n,).
        train: rows to train on.
        held_out: rows to validate on.
    """

    table: Tensor
    starts: Tensor
    targets: Tensor
    train: Tensor
    held_out: Tensor


@dataclass(frozen=True, kw_only=True)
class Member:
    """One network in training, its best state so far, and its optimizer."""

    number: int
    model: SurveyNet
    final: SurveyNet
    optimizer: torch.optim.Optimizer

    @property
    def modules(self) -> dict[str, nn.Module]:
        """What a resumable state must hold."""
        return {"model": self.model, "final": self.final}


def train(recipe: Recipe, data: Data, run: Run) -> Training:
    """Train every member that is not finished; return the error on held-out rows."""
    ranks = distributed.start(recipe.train.batch_size, run.request.device)
    hardware = device.choose_for(run, work="dense", ranks=ranks)
    run.note(device=str(hardware.device), precision=hardware.precision, processes=ranks.size)
    num_trained = 0
    start = time.perf_counter()
    with one_thread():
        for number, split in enumerate(splits(recipe, data, run.request.seed, hardware)):
            if not ranks.broadcast(weights_path(run, number).exists()):
                num_trained += train_member(number, split, recipe, run, hardware, ranks)
    rate = num_trained / (time.perf_counter() - start)
    return Training(validation=held_out_error(recipe, run), items_per_second=round(rate, 1))


def train_member(
    number: int, split: Split, recipe: Recipe, run: Run, hardware: Hardware, ranks: Ranks
) -> int:
    """Train one network, from its last state if it has one; return the rows seen."""
    knobs, seed = recipe.train, run.request.seed
    member = new_state(number, split, recipe, seed, hardware)
    network = ranks.wrap(member.model)
    state_path = run.checkpoints / f"member-{number}.state.safetensors"
    facts = checkpoint.load_state(state_path, member.modules, member.optimizer) or FRESH
    run.rewind_log(lambda e: (e["member"], e["step"]) <= (number, facts["step"]))

    inputs, outputs = prepare(member.model, split, split.train)
    batch_size = min(knobs.batch_size, len(inputs))
    epoch_steps = len(inputs) // batch_size  # the rest has its turn in other epochs
    share = ranks.shard(batch_size)
    sums = torch.tensor(facts["sums"], device=hardware.device)  # loss and steps since the last log
    best, best_step, shown = facts["best"], facts["best_step"], facts["step"]
    began = saved = time.perf_counter()
    label = f"train {number + 1}/{recipe.num_members}"
    with bar(label, knobs.steps, unit="steps", done=shown) as progress:
        for step in range(facts["step"] + 1, knobs.steps + 1):
            if knobs.patience and step > best_step + knobs.patience:
                break
            epoch, position = divmod(step - 1, epoch_steps)
            if position == 0 or step == facts["step"] + 1:
                order = epoch_order(len(inputs), derive_seed(seed, number), epoch).to(
                    hardware.device
                )
                # once, not batch by batch
                shuffled, answers = (x.index_select(0, order) for x in (inputs, outputs))

            # batch: this process's share
            first = position * batch_size
            rows, targets = (x[first : first + batch_size][share] for x in (shuffled, answers))

            # forward
            if recipe.model.dropout:
                seed_everything(seed, "dropout", number, step, ranks.rank)
            with hardware.autocast():
                predicted = network(rows).float()
            loss = F.mse_loss(predicted, targets)

            # backward, clip
            member.optimizer.zero_grad()
            (loss * ranks.loss_scale(batch_size)).backward()
            if knobs.clip_norm:
                nn.utils.clip_grad_norm_(member.model.parameters(), knobs.clip_norm)

            # step, on schedule
            rate = lr_scale(knobs.schedule, step - 1, knobs.steps, knobs.warmup_steps)
            for group in member.optimizer.param_groups:
                group["lr"] = knobs.learning_rate * rate
            member.optimizer.step()

            # log, validate, keep the best
            sums += torch.stack((loss.detach(), torch.ones_like(loss)))
            if step % knobs.validate_every == 0 or step == knobs.steps:
                progress.advance(step - shown)
                shown = step
                error = squared_errors(member.model, split, hardware, ranks).mean().item()
                mean = (sums[0] / sums[1]).item()
                check_finite(step, knobs.learning_rate, train__loss=mean, valid__loss=error)
                if error < best or not knobs.patience:
                    best, best_step = error, step
                    member.final.load_state_dict(member.model.state_dict())
                run.log(
                    member=number,
                    step=step,
                    epoch=round(step / epoch_steps, 3),
                    train__loss=round(mean, 5),
                    valid__loss=round(error, 5),
                    learning_rate=group["lr"],
                    seconds=round(facts["seconds"] + time.perf_counter() - began, 2),
                )
                sums.zero_()

            # save
            now = time.perf_counter()
            if ranks.is_main and now - saved >= knobs.checkpoint_seconds and step < knobs.steps:
                reached = {"step": step, "seconds": facts["seconds"] + now - began}
                reached |= {"sums": sums.tolist(), "best": best, "best_step": best_step}
                checkpoint.save_state(state_path, member.modules, member.optimizer, reached)
                saved = now
    if ranks.is_main:
        squared = squared_errors(member.final, split, hardware)
        total = {"squared_error": squared.sum().item(), "rows": len(squared)}
        checkpoint.save_weights(weights_path(run, number), member.final, total)
        state_path.unlink(missing_ok=True)
    ranks.wait()
    return (step - facts["step"]) * batch_size


def new_state(number: int, split: Split, recipe: Recipe, seed: int, hardware: Hardware) -> Member:
    """Return a member with fresh weights, which depend on the seed and its number."""
    seed_everything(seed, "weights", number)
    model = hardware.to_device(models.build(recipe.data, recipe.model)).train()
    rows = split.train
    model.scaling.fit(split.table[rows], split.targets[rows], recipe.data.standardise)
    return Member(
        number=number,
        model=model,
        final=copy.deepcopy(model).requires_grad_(False).eval(),
        optimizer=new_optimizer(model, recipe.train),
    )


def new_optimizer(model: nn.Module, knobs: TrainKnobs) -> torch.optim.Optimizer:
    """Return the recipe's optimizer; fused, since its step costs more than the network here."""
    settings = {"lr": knobs.learning_rate, "weight_decay": knobs.weight_decay, "fused": True}
    if knobs.optimizer == "sgd":
        return torch.optim.SGD(model.parameters(), momentum=knobs.momentum, **settings)
    return torch.optim.AdamW(model.parameters(), betas=(knobs.momentum, 0.99), **settings)


@torch.no_grad()
def prepare(model: SurveyNet, split: Split, rows: Tensor) -> tuple[Tensor, Tensor]:
    """Return scaled inputs (m, k) of ``rows`` and what the network should put out (m,)."""
    return model.scaling(split.table[rows]), split.targets[rows] - split.starts[rows]


def squared_errors(
    model: SurveyNet, split: Split, hardware: Hardware, ranks: Ranks = ALONE
) -> Tensor:
    """Return the squared error of each held-out row, (m,), on the CPU; every row counts once."""
    inputs, outputs = prepare(model, split, split.held_out)

    def forward(part: slice) -> Tensor:
        with hardware.autocast():
            return model(inputs[part])

    was_training = model.training
    model.eval()
    predicted = predict_all(forward, len(inputs), EVAL_BATCH, ranks)
    model.train(was_training)
    return (predicted - outputs.cpu()) ** 2


def held_out_error(recipe: Recipe, run: Run) -> float:
    """Return the mean squared error over the held-out rows of all finished members."""
    members = range(recipe.num_members)
    facts = [checkpoint.read_metadata(weights_path(run, number)) for number in members]
    return sum(f["squared_error"] for f in facts) / sum(f["rows"] for f in facts)


def splits(recipe: Recipe, data: Data, seed: int, hardware: Hardware) -> Iterator[Split]:
    """Yield the rows of each member: one split, or one for each block of time, repeated."""
    knobs = recipe.data
    columns = (
        features.build(data.train_states, data.train_survey, knobs),
        features.starting_points(data.train_survey, knobs),
        data.train_targets,
    )
    table, starts, targets = (torch.from_numpy(c).float().to(hardware.device) for c in columns)
    for train_rows, held_out in blocks.parts(data.train_runs, data.train_places, knobs, seed):
        yield Split(
            table=table,
            starts=starts,
            targets=targets,
            train=torch.from_numpy(train_rows).to(hardware.device),
            held_out=torch.from_numpy(held_out).to(hardware.device),
        )


@contextmanager
def one_thread() -> Iterator[None]:
    """Compute on one thread: a step here is smaller than the cost of waking a second one."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
