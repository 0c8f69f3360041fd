"""The training loop of homework 11, written out; the same under ``torchrun``.

One network, or several whose predictions are averaged. Every random choice is a function of (seed,
member, step), so a resumed run ends with the weights of an uninterrupted one. No label of a drawing
is read anywhere here: there is none to read.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from mlspring.core.progress import bar
from mlspring.core.runs import Run, Training
from mlspring.homeworks.hw11_adaptation import (
    adapt,
    models,
    monitors,
    snapshots,
    transform,
)
from mlspring.homeworks.hw11_adaptation.batches import Batch, Batches, Domains, place, split
from mlspring.homeworks.hw11_adaptation.data import Data
from mlspring.homeworks.hw11_adaptation.models import Adapter
from mlspring.homeworks.hw11_adaptation.monitors import Watched
from mlspring.homeworks.hw11_adaptation.recipe import Recipe
from mlspring.kit import checkpoint, device, distributed
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import Ranks
from mlspring.kit.divergence import check_finite
from mlspring.kit.ema import EMA
from mlspring.kit.schedules import lr_scale
from mlspring.kit.seeding import derive_seed, generator, seed_everything

FRESH = {"step": 0, "seconds": 0.0, "sums": [0.0, 0.0, 0.0], "best": float("-inf")}


@dataclass(frozen=True, kw_only=True)
class Member:
    """One network in training, its moving average (itself where that is off) and its optimizer."""

    number: int
    model: Adapter
    average: EMA | None
    optimizer: torch.optim.Optimizer

    @property
    def final(self) -> Adapter:
        """The network that teaches and predicts."""
        return self.average.model if self.average else self.model

    @property
    def modules(self) -> dict[str, nn.Module]:
        """What a resumable state must hold."""
        return {"model": self.model, "final": self.final} if self.average else {"model": self.model}


def train(recipe: Recipe, data: Data, run: Run) -> Training:
    """Train every member that is not finished; return the accuracy on photos held out."""
    ranks = distributed.start(recipe.train.batch_size, run.request.device)
    hardware = device.choose_for(run, work="conv", ranks=ranks)
    run.note(device=str(hardware.device), precision=hardware.precision, processes=ranks.size)
    start = time.perf_counter()
    domains = place(recipe, data, hardware)
    num_trained = 0
    members = range(recipe.train.members)
    for number in members:
        if not ranks.broadcast(weights_path(run, number).exists()):
            num_trained += train_member(number, domains, recipe, run, hardware, ranks)
    rate = num_trained / (time.perf_counter() - start)
    facts = [checkpoint.read_metadata(weights_path(run, number)) for number in members]
    accuracy = sum(fact["valid__accuracy"] for fact in facts) / len(facts)
    return Training(validation=accuracy, items_per_second=round(rate, 1))


def kept_path(run: Run, number: int) -> Path:
    """Return the file of the best weights of a member that is in training."""
    return run.checkpoints / f"member-{number}.kept.safetensors"


def train_member(
    number: int, domains: Domains, recipe: Recipe, run: Run, hardware: Hardware, ranks: Ranks
) -> int:
    """Train one network, from its last state if it has one; return the pictures seen."""
    knobs, seed = recipe.train, run.request.seed
    member = new_state(number, recipe, domains.num_classes, seed, hardware)
    network = ranks.wrap(member.model)
    state_path = run.checkpoints / f"member-{number}.state.safetensors"
    facts = checkpoint.load_state(state_path, member.modules, member.optimizer) or FRESH
    run.rewind_log(lambda e: (e["member"], e["step"]) <= (number, facts["step"]))

    train_rows, held_out = split(domains.labels, recipe.data.hold_out, derive_seed(seed, number))
    watched = monitors.watch(domains, held_out, recipe)
    batches = Batches(domains, train_rows, recipe, derive_seed(seed, number))
    batch_size = batches.size
    share = ranks.shard(batch_size)
    stages = snapshots.stages(knobs.steps) if number == 0 and ranks.is_main else {}
    sums = torch.tensor(facts["sums"], device=hardware.device)  # loss and hits since the last log
    best = facts["best"]
    began = saved = time.perf_counter()
    label = f"train {number + 1}/{knobs.members}"
    with bar(label, knobs.steps, unit="steps", done=facts["step"]) as progress:
        for step in range(facts["step"] + 1, knobs.steps + 1):
            # batch: this process's share of photos and of drawings, each augmented
            batch = batches.deal(step, share)
            parts = [batch.photos, batch.drawings] if recipe.sees_drawings else [batch.photos]

            # what drawings are asked beyond their domain: a teacher's opinion, a worst direction
            phase = adapt.phase(recipe.adapt, (step - 1) / knobs.steps)
            teacher = teach(member.final, batch, hardware) if phase.taught else None
            if phase.asked and recipe.adapt.smooth:
                stream = generator(seed, "direction", number, step, ranks.rank)
                radius = recipe.adapt.radius
                parts.append(adapt.worst_drawings(member.model, batch, radius, hardware, stream))

            # forward: both domains in one batch, so that batch norm sees them together
            with hardware.autocast():
                images = hardware.images_to_device(torch.cat(parts))
                outputs = network(images, phase.weight, len(batch.labels))
            outputs = tuple(output.float() for output in outputs)
            losses = adapt.terms(recipe, outputs, batch.labels, teacher, phase)

            # backward, clip
            member.optimizer.zero_grad()
            (sum(losses.values()) * ranks.loss_scale(batch_size)).backward()
            if knobs.clip_norm:
                nn.utils.clip_grad_norm_(member.model.parameters(), knobs.clip_norm)

            # step, on schedule
            rate = lr_scale(knobs.schedule, step - 1, knobs.steps, knobs.warmup_steps)
            for group in member.optimizer.param_groups:
                group["lr"] = knobs.learning_rate * rate
            member.optimizer.step()
            if member.average:
                member.average.update(step)

            # log, validate
            hits = (outputs[0][: len(batch.labels)].argmax(1) == batch.labels).float().mean()
            sums += torch.stack((losses["class"].detach(), hits, torch.ones_like(hits)))
            progress.advance()
            if step in stages:
                snapshots.save(run, stages[step], member.final, domains, hardware)
            if step % knobs.validate_every == 0 or step == knobs.steps:
                values, votes = validate(member, sums, watched, hardware, ranks)
                check_finite(step, knobs.learning_rate, **values)
                run.log(
                    member=number,
                    step=step,
                    epoch=round(step / batches.epoch_steps, 3),
                    **values,
                    **{f"term__{name}": round(term.item(), 5) for name, term in losses.items()},
                    learning_rate=group["lr"],
                    seconds=round(facts["seconds"] + time.perf_counter() - began, 2),
                )
                if ranks.is_main:
                    monitors.save_votes(run, number, step, votes)
                    best = keep(run, member, knobs.keep, {"step": step, **values}, best)

            # save
            now = time.perf_counter()
            if ranks.is_main and now - saved >= knobs.checkpoint_seconds and step < knobs.steps:
                reached = {"step": step, "seconds": facts["seconds"] + now - began}
                reached |= {"sums": sums.tolist(), "best": best}
                checkpoint.save_state(state_path, member.modules, member.optimizer, reached)
                saved = now
    if ranks.is_main:
        kept_path(run, number).replace(weights_path(run, number))
        state_path.unlink(missing_ok=True)
    ranks.wait()
    return 2 * (knobs.steps - facts["step"]) * batch_size


def validate(
    member: Member, sums: Tensor, watched: Watched, hardware: Hardware, ranks: Ranks
) -> tuple[dict[str, float], Tensor]:
    """Return log values and the votes on the watched drawings; the sums start anew."""
    loss, hits = (sums[:2] / sums[2]).tolist()
    sums.zero_()
    ranks.sync_buffers(member.final)  # what is measured is what rank 0 saves
    values, votes = monitors.measure(member.final, watched, hardware, ranks)
    member.model.train()
    return {"train__loss": round(loss, 5), "train__accuracy": round(hits, 5), **values}, votes


def keep(run: Run, member: Member, monitor: str, facts: dict[str, Any], best: float) -> float:
    """Keep the weights if their validation, ``facts``, is better than ``best``; return the better.

    Better is what ``monitor``, a value of ``train.keep``, says.
    """
    merit = monitors.merit(monitor, facts, facts["step"])
    if merit > best:
        learnt = {"num_classes": member.final.classify[-1].out_features}
        checkpoint.save_weights(kept_path(run, member.number), member.final, facts | learnt)
    return max(best, merit)


@torch.no_grad()
def teach(teacher: Adapter, batch: Batch, hardware: Hardware) -> Tensor:
    """Return the logits of the moving average for the plain drawings (b, num_classes)."""
    images = hardware.images_to_device(transform.to_input(batch.plain))
    with hardware.autocast():
        return teacher(images)[0].float()


def new_state(
    number: int, recipe: Recipe, num_classes: int, seed: int, hardware: Hardware
) -> Member:
    """Return a member with fresh weights, which depend on the seed and its number."""
    seed_everything(seed, "weights", number)
    model = hardware.to_device(models.build(recipe, num_classes)).train()
    return Member(
        number=number,
        model=model,
        average=EMA(model, recipe.train.ema_decay) if recipe.train.ema_decay else None,
        optimizer=torch.optim.AdamW(
            model.parameters(),
            recipe.train.learning_rate,
            weight_decay=recipe.train.weight_decay,
            fused=True,
        ),
    )
