"""The training loop of homework 13, written out; the same under ``torchrun``.

A run trains the student, then fine-tunes smaller copies of it whose channels were pruned, and
measures all of them. The teacher, where one is needed, goes through the same loop once for all
runs. Every random choice is a function of (seed, member, step), so a resumed run ends with the
weights of an uninterrupted one.
"""

import time
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mlspring.core.errors import RunError
from mlspring.core.progress import bar
from mlspring.core.runs import Run, Training
from mlspring.homeworks.hw13_compression import compress, held_out, models, transform
from mlspring.homeworks.hw13_compression.architecture import residual
from mlspring.homeworks.hw13_compression.data import NUM_CLASSES, Data
from mlspring.homeworks.hw13_compression.distill import lessons
from mlspring.homeworks.hw13_compression.held_out import Split, predict_held_out
from mlspring.homeworks.hw13_compression.models import WithMaps
from mlspring.homeworks.hw13_compression.recipe import DistillKnobs, Recipe
from mlspring.homeworks.hw13_compression.tasks import (
    STUDENT,
    TEACHER,
    Task,
    finished,
    hardware_for,
    held_out_confusion,
    pruned_names,
    save,
    tasks,
)
from mlspring.homeworks.hw13_compression.teacher import Facts, Teacher, load, open_teacher
from mlspring.kit import checkpoint, device, distributed
from mlspring.kit.checkpoint import weights_path
from mlspring.kit.device import Hardware
from mlspring.kit.distributed import ALONE, Ranks
from mlspring.kit.divergence import check_finite
from mlspring.kit.ema import EMA
from mlspring.kit.schedules import lr_scale
from mlspring.kit.seeding import derive_seed, epoch_order, generator, seed_everything

FRESH = {"step": 0, "seconds": 0.0, "sums": [0.0, 0.0, 0.0]}
NOTHING = DistillKnobs(weight=0.0, temperature=1.0, relations=0.0, attention=0.0)


@dataclass(frozen=True, kw_only=True)
class Member:
    """A network in training, its moving average (itself where that is off) and its optimizer."""

    model: nn.Module
    average: EMA | None
    optimizer: torch.optim.Optimizer

    @property
    def final(self) -> nn.Module:
        """The network that predicts."""
        return self.average.model if self.average else self.model

    @property
    def modules(self) -> dict[str, nn.Module]:
        """What a resumable state must hold."""
        return {"model": self.model, "final": self.final} if self.average else {"model": self.model}


def train(recipe: Recipe, data: Data, run: Run) -> Training:
    """Train and measure whatever is not finished; return the student's held-out accuracy."""
    ranks = distributed.start(recipe.train.batch_size, run.request.device)
    hardware = hardware_for(recipe, run, ranks)
    run.note(device=str(hardware.device), precision=hardware.precision, processes=ranks.size)
    split = held_out.split(data, hardware)
    teachers = open_teachers(recipe, data, split, run, ranks)
    num_trained = 0
    start = time.perf_counter()
    for task in tasks(recipe, run, teachers):
        if not ranks.broadcast(weights_path(run, task.name).exists()):
            num_trained += fit(task, split, run, hardware, ranks)
    rate = num_trained / (time.perf_counter() - start)
    if ranks.is_main and not compress.path(run).exists():
        networks = [finished(run, name) for name in (STUDENT, *pruned_names(recipe))]
        compress.measure(run, networks, teachers, split, recipe.compress, hardware)
    ranks.wait()
    confusion = held_out_confusion(run)
    return Training(
        validation=(confusion.trace() / confusion.sum()).item(), items_per_second=round(rate, 1)
    )


def fit(task: Task, split: Split, run: Run, hardware: Hardware, ranks: Ranks = ALONE) -> int:
    """Train one network, from its last state if it has one; return the pictures seen."""
    knobs, distill, teacher = task.train, task.distill, task.teacher
    member = new_state(task, hardware)
    network = ranks.wrap(WithMaps(member.model))
    state_path = run.checkpoints / f"{task.name}.state.safetensors"
    facts = checkpoint.load_state(state_path, member.modules, member.optimizer) or FRESH
    run.rewind_log(lambda e: (e["member"], e["step"]) <= (task.number, facts["step"]))

    batch_size = min(knobs.batch_size, len(split.train))
    epoch_steps = len(split.train) // batch_size  # the rest has its turn in other epochs
    share = ranks.shard(batch_size)
    sums = torch.tensor(facts["sums"], device=hardware.device)  # loss and hits since the last log
    began = saved = time.perf_counter()
    with bar(f"train {task.name}", knobs.steps, unit="steps", done=facts["step"]) as progress:
        for step in range(facts["step"] + 1, knobs.steps + 1):
            epoch, position = divmod(step - 1, epoch_steps)
            if position == 0 or step == facts["step"] + 1:
                seed = derive_seed(task.seed, task.number)
                order = split.train[epoch_order(len(split.train), seed, epoch)]

            # batch: this process's share, augmented
            batch = order[position * batch_size :][:batch_size]
            pixels, labels = split.pixels.index_select(0, batch), split.labels[batch]
            stream = generator(task.seed, "augment", task.number, step)
            draws = transform.draw(task.augment, batch_size, stream)
            images, targets = transform.prepare(pixels, labels, NUM_CLASSES, draws, share)

            # forward: the teacher sees what the student sees
            with hardware.autocast():
                logits, maps = network(hardware.images_to_device(images))
            logits = logits.float()
            loss = F.cross_entropy(logits, targets, label_smoothing=knobs.label_smoothing)
            if teacher is not None:
                loss = (1 - distill.weight) * loss
                loss = loss + lessons(distill, (logits, maps), teacher.answer(images))

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
            if member.average:
                member.average.update(step)

            # log, validate
            hits = (logits.argmax(1) == labels[share]).float().mean()
            sums += torch.stack((loss.detach(), hits, torch.ones_like(hits)))
            progress.advance()
            if step % knobs.validate_every == 0 or step == knobs.steps:
                means = (sums[:2] / sums[2]).tolist()
                sums.zero_()
                ranks.sync_buffers(member.final)  # what is measured is what rank 0 saves
                outcome = predict_held_out(member.final, split, hardware, ranks)
                member.model.train()
                values = entry(task, means, outcome)
                losses = {name: value for name, value in values.items() if name.endswith("loss")}
                check_finite(step, knobs.learning_rate, **losses)
                seconds = facts["seconds"] + time.perf_counter() - began
                run.log(
                    member=task.number,
                    step=step,
                    epoch=round(step / epoch_steps, 3),
                    **values,
                    learning_rate=group["lr"],
                    seconds=round(seconds, 2),
                )

            # save
            now = time.perf_counter()
            if ranks.is_main and now - saved >= knobs.checkpoint_seconds and step < knobs.steps:
                reached = {"step": step, "seconds": facts["seconds"] + now - began}
                reached["sums"] = sums.tolist()
                checkpoint.save_state(state_path, member.modules, member.optimizer, reached)
                saved = now
    if ranks.is_main:
        save(run, task, member.final, outcome)
        state_path.unlink(missing_ok=True)
    ranks.wait()
    return (knobs.steps - facts["step"]) * batch_size


def new_state(task: Task, hardware: Hardware) -> Member:
    """Return the task's network ready for its first step."""
    model = hardware.to_device(task.model).train()
    return Member(
        model=model,
        average=EMA(model, task.train.ema_decay) if task.train.ema_decay else None,
        optimizer=torch.optim.AdamW(
            model.parameters(),
            task.train.learning_rate,
            weight_decay=task.train.weight_decay,
            fused=True,
        ),
    )


def entry(task: Task, means: list[float], outcome: tuple[Tensor, Tensor]) -> dict[str, float]:
    """Return the log's losses and accuracies; pruned copies have curves of their own."""
    learnt, seen = ("finetune", "pruned") if task.number else ("train", "valid")
    loss, accuracy = held_out.measure(*outcome)
    return {
        f"{learnt}__loss": round(means[0], 5),
        f"{learnt}__accuracy": round(means[1], 5),
        f"{seen}__loss": round(loss, 5),
        f"{seen}__accuracy": round(accuracy, 5),
    }


def open_teachers(
    recipe: Recipe, data: Data, split: Split, run: Run, ranks: Ranks
) -> list[Teacher]:
    """Return the teacher and the assistant it taught, as far as the recipe needs them.

    The student learns from the last one. Source of the assistant: Mirzadeh et al. 2020,
    arXiv:1902.03393 (TAKD).
    """
    if not recipe.needs_teacher:
        return []
    fastest = device.choose(run.request.device, run.request.precision, work="conv")
    fastest = device.choose(run.request.device, ranks.broadcast(fastest.precision), work="conv")
    found: list[Teacher] = []
    for each in recipe.teachers:
        tutor = found[-1] if found else None
        make = partial(make_teacher, each, data, split, fastest, tutor=tutor)
        found.append(open_teacher(each, data, fastest, ranks, make, tutor))
    note_teacher(run, found[-1])
    return found


def make_teacher(
    recipe: Recipe,
    data: Data,
    split: Split,
    hardware: Hardware,
    place: Run,
    *,
    tutor: Teacher | None = None,
) -> Facts:
    """Train our own teacher in the folder of ``place`` if need be; return its facts.

    An assistant learns from its tutor what the student is to learn from it.
    """
    if recipe.teacher.source == "trained" and not weights_path(place, TEACHER).exists():
        architecture = residual(recipe.teacher.width)
        seed_everything(recipe.teacher.seed, "weights", TEACHER)
        task = Task(
            number=0,
            name=TEACHER,
            architecture=architecture,
            model=models.build(architecture),
            train=recipe.teacher_train,
            augment=recipe.teacher_augment,
            distill=recipe.distill if tutor else NOTHING,
            teacher=tutor,
            seed=recipe.teacher.seed,
        )
        fit(task, split, place, hardware)
    architecture, model, file = load(recipe, data, place.folder)
    network = compress.Network(
        name=TEACHER, architecture=architecture, model=model, num_bytes=file.stat().st_size
    )
    return compress.examine(network, split, hardware)


def note_teacher(run: Run, teacher: Teacher) -> None:
    """Write down which teacher this run learns from.

    Raises:
        RunError: a resumed run began with another one.
    """
    if not run.writable:
        return
    known = run.state.get("teacher")
    if known is not None and known["sha256"] != teacher.digest:
        fix = "start a new run: students of two teachers are not one student"
        raise RunError("the teacher has changed since this run began", file=run.folder, fix=fix)
    run.note(teacher={"sha256": teacher.digest, "accuracy": teacher.facts["accuracy"]})
