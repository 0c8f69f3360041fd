"""The training loop of homework 1, written out; the same under ``torchrun``.

A run trains one network, or one for each block of time. Every random choice is a function of (seed,
member, step), so a resumed run ends with the weights of an uninterrupted one.
"""

import copy
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.core.runs import Run, Training
from mlspring.homeworks.hw01_regression import blocks, features, models
from mlspring.homeworks.hw01_regression.data import Data
from mlspring.homeworks.hw01_regression.models import SurveyNet
from mlspring.homeworks.hw01_regression.recipe import DataKnobs, Recipe, TrainKnobs
from mlspring.kit import checkpoint, device, distributed
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.kit.evaluate import predict_all
from mlspring.kit.schedules import set_learning_rate
from mlspring.kit.seeding import derive_seed, epoch_order, seed_everything
from mlspring.kit.state import TrainState, clip_gradients
from mlspring.kit.training import Bookkeeper

EVAL_BATCH = 8192


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


def train(recipe: Recipe, data: Data, run: Run) -> Training:
    """Train every member that is not finished; return the error on held-out rows."""
    ranks = distributed.start(recipe.train.batch_size, run.request.device)
    hardware = device.choose_for(run, work="dense", ranks=ranks)
    run.note(device=str(hardware.device), precision=hardware.precision, processes=ranks.size)
    num_trained = 0
    start = time.perf_counter()
    with one_thread():
        for number, split in enumerate(splits(recipe.data, data, run.request.seed, hardware)):
            if not ranks.broadcast(weights_path(run, number).exists()):
                num_trained += train_network(number, split, recipe, run, hardware, ranks)
    rate = num_trained / (time.perf_counter() - start)
    return Training(validation=held_out_error(recipe, run), items_per_second=round(rate, 1))


class ShuffledRows:
    """Inputs and outputs of a split in the order of the epoch; gathered once an epoch.

    Steps here are so short that gathering each batch by its rows would be felt.
    """

    def __init__(self, model: SurveyNet, split: Split, batch_size: int, seed: int) -> None:
        self.inputs, self.outputs = prepare(model, split, split.train)
        self.size = min(batch_size, len(self.inputs))
        self.per_epoch = len(self.inputs) // self.size  # the rest has its turn in other epochs
        self._seed, self._epoch, self._shuffled = seed, -1, (self.inputs, self.outputs)

    def batch(self, step: int, shard: slice) -> tuple[Tensor, Tensor]:
        """Return inputs (m, k) and outputs (m,) of this process's shard of ``step``'s batch."""
        epoch, position = divmod(step - 1, self.per_epoch)
        if epoch != self._epoch:
            order = epoch_order(len(self.inputs), self._seed, epoch).to(self.inputs.device)
            self._shuffled = (
                self.inputs.index_select(0, order),
                self.outputs.index_select(0, order),
            )
            self._epoch = epoch
        first = position * self.size
        inputs, outputs = (x[first : first + self.size][shard] for x in self._shuffled)
        return inputs, outputs


def train_network(
    number: int, split: Split, recipe: Recipe, run: Run, hardware: Hardware, ranks: Ranks
) -> int:
    """Train one network, from its last state if it has one; return the rows seen."""
    knobs, seed = recipe.train, run.request.seed
    state = new_state(number, split, recipe, seed, hardware)
    network, best = ranks.wrap(state.model), state.others["best"]
    rows = ShuffledRows(state.model, split, knobs.batch_size, derive_seed(seed, number))
    shard = ranks.shard(rows.size)
    label = f"train {number + 1}/{recipe.num_members}"
    extra = {"best": float("inf"), "best_step": 0}
    with Bookkeeper(run, number, state, knobs, knobs.steps, ranks, label, extra) as books:
        for step in books.steps():
            # batch: this process's shard
            inputs, targets = rows.batch(step, shard)

            # forward, loss
            if recipe.model.dropout:
                seed_everything(seed, "dropout", number, step, ranks.rank)
            with hardware.autocast():
                outputs = network(inputs).float()
            loss = loss_of(outputs, targets)

            # backward, clip
            state.optimizer.zero_grad()
            (loss * ranks.loss_scale(rows.size)).backward()
            clip_gradients(state.model, knobs.clip_norm)

            # step
            rate = set_learning_rate(state.optimizer, knobs, step, knobs.warmup_steps)
            state.optimizer.step()

            # validate, keep the best
            books.add(train__loss=loss.detach())
            if books.validates():
                error = squared_errors(state.model, split, hardware, ranks).mean().item()
                epoch = round(step / rows.per_epoch, 3)
                books.log(epoch=epoch, valid__loss=round(error, 5), learning_rate=rate)
                if error < books.extra["best"] or not knobs.patience:
                    books.extra |= {"best": error, "best_step": step}
                    best.load_state_dict(state.model.state_dict())
            if books.due():
                books.save()
            if knobs.patience and step >= books.extra["best_step"] + knobs.patience:
                break
        if ranks.is_main:
            save(run, number, best, split, hardware)
        books.finish()
    return (step - books.start) * rows.size


def loss_of(outputs: Tensor, targets: Tensor) -> Tensor:
    """Return the mean squared error of ``outputs`` (n,): sum_i (y_i - t_i)^2 / n."""
    return F.mse_loss(outputs, targets)


def save(run: Run, number: int, model: SurveyNet, split: Split, hardware: Hardware) -> None:
    """Write a finished network with its squared error over the held-out rows."""
    squared = squared_errors(model, split, hardware)
    total = {"squared_error": squared.sum().item(), "rows": len(squared)}
    checkpoint.save_weights(weights_path(run, number), model, total)


def new_state(
    number: int, split: Split, recipe: Recipe, seed: int, hardware: Hardware
) -> TrainState[SurveyNet]:
    """Return a network with fresh weights, which depend on the seed and its number.

    ``others["best"]`` holds the weights of the best validation so far.
    """
    seed_everything(seed, "weights", number)
    model = hardware.to_device(models.build(recipe.data, recipe.model)).train()
    rows = split.train
    model.scaling.fit(split.table[rows], split.targets[rows], recipe.data.standardise)
    best = copy.deepcopy(model).requires_grad_(False).eval()
    optimizer = new_optimizer(model, recipe.train)
    return TrainState(model=model, optimizer=optimizer, others={"best": best})


def new_optimizer(model: nn.Module, knobs: TrainKnobs) -> torch.optim.Optimizer:
    """Return the recipe's optimizer; fused, since its step costs more than the network here."""
    rate, decay, weights = knobs.learning_rate, knobs.weight_decay, model.parameters()
    if knobs.optimizer == "sgd":
        momentum = knobs.momentum
        return torch.optim.SGD(weights, rate, momentum=momentum, weight_decay=decay, fused=True)
    betas = (knobs.momentum, 0.99)
    return torch.optim.AdamW(weights, rate, betas=betas, weight_decay=decay, fused=True)


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
    each = [checkpoint.read_metadata(weights_path(run, number)) for number in members]
    return sum(m["squared_error"] for m in each) / sum(m["rows"] for m in each)


def splits(knobs: DataKnobs, data: Data, seed: int, hardware: Hardware) -> Iterator[Split]:
    """Yield the rows of each member: one split, or one for each block of time, repeated."""
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
