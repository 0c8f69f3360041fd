"""Deep generative replay: a generator makes images of the old tasks, the old network labels them.

Source: Shin et al. 2017 (arXiv:1705.08690), who pair a generator and a solver into a *scholar* that
teaches the next one. Their generator is a GAN; here it is a small variational autoencoder
(784-400-20-400-784), which trains in the same loop without a discriminator. Nothing of the old
tasks is stored but these two networks.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.adam import adam

from mlspring.homeworks.hw14_lifelong.methods.distill import keep_teacher, teacher_logits
from mlspring.homeworks.hw14_lifelong.methods.learner import Batch, Learner, StateTensors, Tensors
from mlspring.homeworks.hw14_lifelong.models import NUM_PIXELS, Perceptron
from mlspring.homeworks.hw14_lifelong.recipe import MethodKnobs
from mlspring.homeworks.hw14_lifelong.tasks import to_input
from mlspring.kit.seeding import generator

LATENT, HIDDEN = 20, 400
# The encoder ends in mean and log variance of the code, the decoder begins with a code.
SIZES = ((NUM_PIXELS, HIDDEN), (HIDDEN, 2 * LATENT), (LATENT, HIDDEN), (HIDDEN, NUM_PIXELS))
LEARNING_RATE = 1e-3  # of the generator, whatever the network's


def new_generator(model: Perceptron, knobs: MethodKnobs) -> StateTensors:
    """Return a fresh generator with Adam's moments, and room for the old generator."""
    layers = nn.ModuleList(nn.Linear(*size) for size in SIZES).to(next(model.parameters()).device)
    weights = [p.detach() for p in layers.parameters()]
    names = ("first_moment", "second_moment", "old_generator")
    zeros = {name: [torch.zeros_like(w) for w in weights] for name in names}
    counts = [torch.zeros((), device=w.device) for w in weights]
    return {"generator": weights, "counts": counts, **zeros}


def generated_batch(learner: Learner, stage: int, draws: torch.Generator) -> Batch:
    """Return images (n, 784) of the tasks before ``stage``, n = ``method.replayed``.

    The old generator makes them from random codes, the old network's answer is their label. Each
    is taken to be of one old task, drawn at random: that says which outputs may answer.
    """
    state, count = learner.state, learner.knobs.replayed
    codes = torch.randn(count, LATENT, generator=draws).to(learner.stream.device)
    tasks = torch.randint(stage, (count,), generator=draws).to(learner.stream.device)
    with torch.no_grad():
        images = decode(state["old_generator"], codes).sigmoid()
        logits = teacher_logits(learner, images) + learner.stream.masks[stage - 1][tasks]
    mask = learner.stream.masks[stage][tasks]
    return Batch(images=images, labels=logits.argmax(1), mask=mask)


def replay_generated(learner: Learner, stage: int, step: int) -> Batch | None:
    """Return generated images of the old tasks in place of kept ones."""
    if stage == 0:
        return None
    return generated_batch(learner, stage, generator(learner.seed, "recall", step))


def train_generator(learner: Learner, stage: int, step: int) -> None:
    """Let the generator learn the new task's images and its own of the old ones, all tasks alike.

    L = L_new / k + (1 - 1/k) L_old, with L the negative evidence bound. Every process draws the
    same images and takes the same step.
    """
    if stage + 1 == len(learner.stream):
        return  # no task comes after: nobody would ask for its images
    state, task = learner.state, learner.stream.tasks[stage]
    draws = generator(learner.seed, "generator", step)
    count = learner.loop.batch_size
    rows = torch.randint(len(task.labels), (count,), generator=draws).to(task.pixels.device)
    images = to_input(task.pixels[rows])
    if stage:
        images = torch.cat((images, generated_batch(learner, stage, draws).images))
    weights = [w.detach().requires_grad_() for w in state["generator"]]
    bounds = negative_bound(weights, images, draws)
    loss, weight = bounds[:count].mean(), 1 / (stage + 1)
    if stage:
        loss = weight * loss + (1 - weight) * bounds[count:].mean()
    with torch.no_grad():
        adam(
            state["generator"],
            list(torch.autograd.grad(loss, weights)),
            state["first_moment"],
            state["second_moment"],
            [],
            state["counts"],
            fused=True,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=LEARNING_RATE,
            weight_decay=0.0,
            eps=1e-8,
            maximize=False,
        )


def negative_bound(weights: Tensors, images: Tensor, draws: torch.Generator) -> Tensor:
    """Return -log p(x|z) + KL(q(z|x) || N(0, 1)) of images (n, 784), one z each, in nats: (n,).

    Source: Kingma & Welling 2014 (arXiv:1312.6114), eq. 10 and appendix B.
    """
    hidden = F.relu(F.linear(images, *weights[:2]))
    mean, log_variance = F.linear(hidden, *weights[2:4]).chunk(2, 1)
    noise = torch.randn(mean.shape, generator=draws).to(mean.device)
    pixels = decode(weights, mean + noise * (0.5 * log_variance).exp())
    reconstruction = F.binary_cross_entropy_with_logits(pixels, images, reduction="none").sum(1)
    divergence = mean.square() + log_variance.exp() - 1 - log_variance
    return reconstruction + 0.5 * divergence.sum(1)


def decode(weights: Tensors, codes: Tensor) -> Tensor:
    """Return pixels (n, 784), as logits, of codes (n, 20)."""
    return F.linear(F.relu(F.linear(codes, *weights[4:6])), *weights[6:8])


def keep_scholar(learner: Learner, stage: int, step: int) -> None:
    """Keep generator and network as they are, to teach the next task."""
    keep_teacher(learner, stage, step)
    with torch.no_grad():
        torch._foreach_copy_(learner.state["old_generator"], learner.state["generator"])
