"""Guards measured along the way of training: SI and RWalk.

Both follow how much each weight's own movement lowered the loss, -gradient * move, step by step.
The gradient is the new task's alone; in the notebook (``method.faithful``) it holds the penalty's
too, and the last step of each task is missed.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from mlspring.homeworks.hw14_lifelong.methods.guards import (
    by_batches,
    guard_notes,
    pull,
    set_anchor,
    true_log_likelihood,
)
from mlspring.homeworks.hw14_lifelong.methods.learner import Learner, Tensors, zeros
from mlspring.homeworks.hw14_lifelong.models import Perceptron
from mlspring.homeworks.hw14_lifelong.recipe import Recipe

FISHER_DECAY = 0.9  # of RWalk's moving average, alpha = 0.1 a step
NOTEBOOK_FISHER = 0.4  # weight of the new task in the notebook's average of Fisher informations


def path_notes(model: Perceptron, recipe: Recipe, num_tasks: int) -> dict[str, Sequence[Tensor]]:
    """Return the guards' notes and those of the path.

    ``before`` and ``slope`` are weights and gradient of the step under way, ``gained`` what each
    weight's movement took off the loss, ``begin`` the weights at the start of the task.
    """
    names = ("before", "slope", "gained", "begin")
    notes = {**guard_notes(model, recipe, num_tasks), **{name: zeros(model) for name in names}}
    notes["begin"] = [p.detach().clone() for p in model.parameters()]
    return notes


def rwalk_notes(model: Perceptron, recipe: Recipe, num_tasks: int) -> dict[str, Sequence[Tensor]]:
    """Return SI's notes and RWalk's own: Fisher information, scores, start of the piece."""
    more = {name: zeros(model) for name in ("fisher", "score", "scores")}
    notes = {**path_notes(model, recipe, num_tasks), **more}
    notes["mark"] = [p.detach().clone() for p in model.parameters()]
    return notes


@torch.no_grad()
def pull_and_note(learner: Learner, stage: int, step: int) -> None:
    """Note weights and slope before the step, and add the penalty's gradient."""
    notes, faithful = learner.notes, learner.recipe.method.faithful
    torch._foreach_copy_(notes["before"], learner.parameters)
    if not faithful:
        torch._foreach_copy_(notes["slope"], learner.gradients)
    pull(learner, stage, step)
    if faithful:
        torch._foreach_copy_(notes["slope"], learner.gradients)


@torch.no_grad()
def follow_path(learner: Learner, stage: int, step: int) -> None:
    """Add -gradient * move of this step to what each weight gained."""
    last = step % learner.recipe.train.steps_per_task == 0
    if learner.recipe.method.faithful and last:
        return
    notes = learner.notes
    moved = torch._foreach_sub(learner.parameters, notes["before"])
    torch._foreach_addcmul_(notes["gained"], notes["slope"], moved, value=-1.0)


@torch.no_grad()
def conclude_si(learner: Learner, stage: int, step: int) -> None:
    """Guard by the share in the loss's fall: Omega_i += w_i / (Delta_i^2 + xi).

    w_i = - sum over steps of g_i * step_i, Delta_i the weight's whole move in the task, xi the
    damping; a weight whose movement raised the loss (w_i < 0) is not guarded. Source: Zenke et al.
    2017 (arXiv:1703.04200), eqs. 3 to 5. The notebook keeps negative w_i.
    """
    notes, knobs = learner.notes, learner.recipe.method
    for omega, gained, weight, begin in zip(
        notes["importance"], notes["gained"], learner.parameters, notes["begin"], strict=True
    ):
        move = (weight - begin).square_().add_(knobs.damping)
        omega.add_((gained if knobs.faithful else gained.clamp(min=0)) / move)
    begin_again(learner)


@torch.no_grad()
def begin_again(learner: Learner) -> None:
    """Set the anchor and forget the path: the next task has its own."""
    set_anchor(learner)
    torch._foreach_copy_(learner.notes["begin"], learner.parameters)
    torch._foreach_zero_(learner.notes["gained"])


@torch.no_grad()
def note_fisher(learner: Learner, stage: int, step: int) -> None:
    """Average the squared gradient, F = 0.9 F + 0.1 g^2, before the step; then as SI."""
    if not learner.recipe.method.faithful:
        fisher = learner.notes["fisher"]
        torch._foreach_mul_(fisher, FISHER_DECAY)
        gradients = learner.gradients
        torch._foreach_addcmul_(fisher, gradients, gradients, value=1 - FISHER_DECAY)
    pull_and_note(learner, stage, step)


@torch.no_grad()
def follow_walk(learner: Learner, stage: int, step: int) -> None:
    """At the end of each piece of the path, turn what was gained into the piece's score."""
    follow_path(learner, stage, step)
    knobs = learner.recipe.method
    within = (step - 1) % learner.recipe.train.steps_per_task + 1
    whole = within % knobs.interval == 0 or within == learner.recipe.train.steps_per_task
    if knobs.faithful or not whole:
        return
    notes = learner.notes
    for score, gained, fisher, weight, mark in zip(
        notes["score"],
        notes["gained"],
        notes["fisher"],
        learner.parameters,
        notes["mark"],
        strict=True,
    ):
        distance = (weight - mark).square_().mul_(fisher).mul_(0.5).add_(knobs.damping)
        score.add_(gained.clamp(min=0) / distance)
        gained.zero_()
        mark.copy_(weight)


def conclude_rwalk(learner: Learner, stage: int, step: int) -> None:
    """Guard by Fisher information and path score: b_i = F_i / max F + s_i / max s.

    The score of a task sums over its pieces the fall of the loss a unit of KL divergence,
    max(0, Delta L_i) / (F_i Delta_i^2 / 2 + epsilon); from task to task s = (s_old + s_new) / 2.
    Both parts are brought to a largest value of 1, since their scales differ by orders. Source:
    Chaudhry et al. 2018 (arXiv:1801.10112), section 4. The notebook's: F = 0.6 * (sum of
    all earlier F) + 0.4 F_task, Omega = (Omega + w / (F Delta^2 / 2 + 0.1)) / 2, b = F + Omega.
    """
    if learner.recipe.method.faithful:
        _conclude_notebook(learner, stage)
        return
    notes = learner.notes
    with torch.no_grad():
        torch._foreach_add_(notes["scores"], notes["score"])
        if stage:  # the first task's score has nothing to be averaged with
            torch._foreach_mul_(notes["scores"], 0.5)
        torch._foreach_zero_(notes["score"])
        for target, fisher, score in zip(
            notes["importance"], _unit(notes["fisher"]), _unit(notes["scores"]), strict=True
        ):
            target.copy_(fisher + score)
    begin_again(learner)
    torch._foreach_copy_(notes["mark"], [p.detach() for p in learner.parameters])


def _unit(tensors: Tensors) -> Tensors:
    """Return the tensors divided by the largest value in any of them."""
    largest = max(t.max().item() for t in tensors)
    return [t / largest for t in tensors] if largest > 0 else [t.clone() for t in tensors]


def _conclude_notebook(learner: Learner, stage: int) -> None:
    measured = by_batches(learner, stage, true_log_likelihood, power=2)
    notes, damping = learner.notes, learner.recipe.method.damping
    with torch.no_grad():
        rows = zip(
            measured,
            notes["fisher"],
            notes["earlier"],
            notes["scores"],
            notes["gained"],
            notes["begin"],
            learner.parameters,
            notes["importance"],
            strict=True,
        )
        for task, fisher, earlier, scores, gained, begin, weight, target in rows:
            fisher.copy_((1 - NOTEBOOK_FISHER) * earlier + NOTEBOOK_FISHER * task)
            earlier.add_(fisher)
            distance = 0.5 * fisher * (weight - begin).square() + damping
            scores.mul_(0.5).add_(gained / distance, alpha=0.5)
            target.copy_(fisher + scores)
    begin_again(learner)
