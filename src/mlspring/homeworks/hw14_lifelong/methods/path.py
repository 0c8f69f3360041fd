"""Importance measured along the way of training: SI and RWalk.

Both follow how much each weight's own movement lowered the loss, -gradient * move, step by step:
the path integral of the loss. The gradient is the new task's alone: with the penalty's in it, the
importance would count itself. What SI remembers of every weight:

    anchor, importance      where the task began, and what holds the weight there
    before, gradient        the weight before the step under way, and the loss's gradient there
    integral                what its movement took off the loss since the task, or the piece, began

and RWalk beside it:

    fisher                  a moving average of the squared gradient
    piece_start             the weight where the piece of the path began
    task_score, score       the sum over this task's pieces so far, and the average over tasks
"""

import torch

from mlspring.homeworks.hw14_lifelong.methods import regularisers
from mlspring.homeworks.hw14_lifelong.methods.learner import Learner, Tensors

DAMPING = 0.1  # added to a weight's squared move (SI's xi) or divergence (RWalk's epsilon)
INTERVAL = 10  # steps of one piece of RWalk's path
FISHER_DECAY = 0.9  # of RWalk's moving average, alpha = 0.1 a step


@torch.no_grad()
def record_before_step(learner: Learner, stage: int, step: int) -> None:
    """Record weights and gradient before the step, and add the penalty's gradient."""
    state = learner.state
    torch._foreach_copy_(state["before"], learner.parameters)
    torch._foreach_copy_(state["gradient"], learner.gradients)
    regularisers.add_penalty_gradient(learner, stage, step)


@torch.no_grad()
def integrate_path(learner: Learner, stage: int, step: int) -> None:
    """Add -gradient * move of this step to the path integral of each weight."""
    state = learner.state
    moved = torch._foreach_sub(learner.parameters, state["before"])
    torch._foreach_addcmul_(state["integral"], state["gradient"], moved, value=-1.0)


@torch.no_grad()
def measure_si(learner: Learner, stage: int, step: int) -> None:
    """Add the weight's part in the loss's fall: b_i += w_i / (Delta_i^2 + xi).

    w_i = - sum over steps of g_i * step_i, Delta_i the weight's whole move in the task, xi the
    damping; a weight whose movement raised the loss (w_i < 0) has no importance. Source: Zenke et
    al. 2017 (arXiv:1703.04200), eqs. 3 to 5.
    """
    tensors = (learner.state[name] for name in ("importance", "integral", "anchor"))
    for importance, integral, anchor, weight in zip(*tensors, learner.parameters, strict=True):
        squared_move = (weight - anchor).square_().add_(DAMPING)
        importance.add_(integral.clamp(min=0) / squared_move)
    start_new_path(learner)


@torch.no_grad()
def start_new_path(learner: Learner) -> None:
    """Set the anchor, where the next task's path begins."""
    torch._foreach_copy_(learner.state["anchor"], learner.parameters)
    torch._foreach_zero_(learner.state["integral"])


@torch.no_grad()
def average_fisher(learner: Learner, stage: int, step: int) -> None:
    """Average the squared gradient, F = 0.9 F + 0.1 g^2, before the step; then as SI."""
    fisher, gradients = learner.state["fisher"], learner.gradients
    torch._foreach_mul_(fisher, FISHER_DECAY)
    torch._foreach_addcmul_(fisher, gradients, gradients, value=1 - FISHER_DECAY)
    record_before_step(learner, stage, step)


@torch.no_grad()
def score_pieces(learner: Learner, stage: int, step: int) -> None:
    """At the end of each piece of the path, turn its path integral into the piece's score."""
    integrate_path(learner, stage, step)
    within = (step - 1) % learner.loop.steps_per_task + 1
    if within % INTERVAL and within != learner.loop.steps_per_task:
        return
    tensors = (learner.state[n] for n in ("task_score", "integral", "fisher", "piece_start"))
    for score, integral, fisher, start, weight in zip(*tensors, learner.parameters, strict=True):
        divergence = (weight - start).square_().mul_(fisher).mul_(0.5).add_(DAMPING)
        score.add_(integral.clamp(min=0) / divergence)
        integral.zero_()
        start.copy_(weight)


@torch.no_grad()
def measure_rwalk(learner: Learner, stage: int, step: int) -> None:
    """Set b_i = F_i / max F + s_i / max s: Fisher information and path score.

    The score of a task sums over its pieces the fall of the loss a unit of KL divergence,
    max(0, Delta L_i) / (F_i Delta_i^2 / 2 + epsilon); from task to task s = (s_old + s_new) / 2.
    Both parts are brought to a largest value of 1, since their scales differ by orders. Source:
    Chaudhry et al. 2018 (arXiv:1801.10112), section 4.
    """
    state = learner.state
    torch._foreach_add_(state["score"], state["task_score"])
    if stage:  # the first task's score has nothing to be averaged with
        torch._foreach_mul_(state["score"], 0.5)
    torch._foreach_zero_(state["task_score"])
    parts = _to_unit(state["fisher"]), _to_unit(state["score"])
    torch._foreach_copy_(state["importance"], torch._foreach_add(*parts))
    start_new_path(learner)


def _to_unit(tensors: Tensors) -> Tensors:
    """Return the tensors divided by the largest value in any of them; as they are if that is 0."""
    largest = max(t.max().item() for t in tensors)
    return [t / largest for t in tensors] if largest > 0 else tensors
