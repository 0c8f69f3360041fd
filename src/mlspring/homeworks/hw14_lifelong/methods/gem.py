"""GEM: the gradient is projected so that it raises no old task's loss on its kept images.

Source: Lopez-Paz & Ranzato 2017 (arXiv:1706.08840), section 3, without the margin. P below is the
number of weights, k the number of old tasks.
"""

import torch
from scipy.optimize import nnls
from torch import Tensor

from mlspring.homeworks.hw14_lifelong.methods.learner import Learner
from mlspring.homeworks.hw14_lifelong.methods.replay import buffer_batch

CLEAR = 1e-2  # least eigenvalue of cosines for which single precision is enough
LEAST = 1e-13  # eigenvalues below are noise of double precision
NOTHING = 1e-30  # a gradient this much shorter than the longest one counts as zero


def project_gradient(learner: Learner, stage: int, step: int) -> None:
    """Project the gradient so that no old task's loss rises, to first order.

    min ||g' - g||^2 subject to <g', g_j> >= 0 for every old task j, with g_j the gradient on its
    images in the buffer.
    """
    if stage == 0:
        return
    gradients = learner.gradients
    flat = torch.cat([g.flatten() for g in gradients])
    old = torch.stack([old_gradient(learner, stage, task) for task in range(stage)])
    pieces = nearest_allowed(flat, old).split([g.numel() for g in gradients])
    for gradient, piece in zip(gradients, pieces, strict=True):
        gradient.copy_(piece.view_as(gradient))


def nearest_allowed(gradient: Tensor, old: Tensor) -> Tensor:
    """Return the vector nearest to ``gradient`` (P,) whose product with no row of ``old`` is < 0.

    ``gradient`` itself where it is allowed; no number where one of them holds none.

    The dual has a variable for each of the k rows: g' = g + G^T v with v >= 0 least in
    ||g + G^T v||. With G's rows made 1 long, C = G G^T = U W U^T: that is the non-negative least
    squares problem ||W^1/2 U^T v + W^-1/2 U^T G g||, of size k.
    """
    products = old @ gradient
    if bool((products >= 0).all()):
        return gradient
    system = torch.column_stack((old @ old.T, products)).double().cpu()
    is_single, is_number = gradient.dtype == torch.float32, bool(system.isfinite().all())
    if is_number:
        lengths = system.diagonal().sqrt()
        inverse = torch.where(lengths > NOTHING * lengths.max(), 1 / lengths, 0.0)
        values, vectors = torch.linalg.eigh(system[:, :-1] * torch.outer(inverse, inverse))
    if is_single and not (is_number and values[0] > CLEAR):  # rows that hardly differ; overflow
        return nearest_allowed(gradient.double(), old.double()).float()
    if not is_number:
        return torch.full_like(gradient, torch.nan)  # the loop's check_finite says what it means
    along = system[:, -1] * inverse
    size = along.abs().max().clamp(min=torch.finfo(torch.float64).tiny)
    roots = values.clamp(min=LEAST).sqrt()
    target = -(vectors.T @ (along / size)) / roots
    duals, _ = nnls((roots[:, None] * vectors.T).numpy(), target.numpy(), maxiter=100 * len(old))
    weights = torch.as_tensor(duals) * inverse * size
    return gradient + old.T @ weights.to(gradient)


def old_gradient(learner: Learner, stage: int, task: int) -> Tensor:
    """Return the gradient (P,) of an old task's loss on its kept images.

    In the arithmetic of the gradient that it is compared with: 500 images a step, in fp32, took
    most of GEM's time.
    """
    state = learner.state
    rows = (state["tasks"][0] == task).nonzero().squeeze(1)
    batch = buffer_batch(learner, stage, rows)
    with learner.autocast():
        logits = learner.model(batch.images).float()
    loss = batch.with_logits(logits).cross_entropy()
    return torch.cat([g.flatten() for g in torch.autograd.grad(loss, learner.parameters)])
