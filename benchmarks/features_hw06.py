"""Train the two networks with which homework 6 is judged and write them into the package.

    python -m benchmarks.features_hw06 [factors] [faces] [--steps N]

*factors* learns the true factors of the world's faces; *faces* learns to tell whole faces from
broken ones, made here. Some minutes of a CPU each. What is written are half-precision weights, and
beside them how well they read the held-out faces, from which nothing is learnt but the detector's
threshold. Whoever makes them again changes every score: baselines are measured anew then.
"""

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor
from torch.nn import functional as F

from mlspring.homeworks.hw06_gan import features
from mlspring.homeworks.hw06_gan.features import Pixels, Reader
from mlspring.homeworks.hw06_gan.models import Generator
from mlspring.kit import checkpoint
from mlspring.kit.schedules import lr_scale
from mlspring.kit.seeding import seed_everything
from mlspring.worlds.faces.anomalies import KINDS, draw_anomaly
from mlspring.worlds.faces.face_world import face_world
from mlspring.worlds.faces.factors import from_row
from mlspring.worlds.world import build

BATCH, RATE, DECAY = 64, 3e-3, 0.02
STEPS = {"factors": 1800, "faces": 900}
NUM_WHOLE, NUM_HELD_OUT = 8_000, 1_000  # faces for the detector, and held-out ones to measure it by
NUM_ANOMALIES = 1_200
REACH = 0.99  # share of real faces that count as faces

Loss = Callable[[Tensor, Tensor], Tensor]


def main() -> None:
    """Train what is named, write it, print what it can do."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="factors, faces; default: both")
    parser.add_argument("--steps", type=int, help="updates of each")
    given = parser.parse_args()
    world = build(face_world())
    makers = {"factors": make_factors, "faces": make_faces}
    for name in given.names or makers:
        network, metadata = makers[name](world, given.steps or STEPS[name])
        file = features.FOLDER / f"{name}.safetensors"
        checkpoint.save_weights(file, network.half(), metadata)
        print(name, metadata, f"{file.stat().st_size:,} bytes", flush=True)


def fit(
    network: Reader, pictures: Pixels, targets: Tensor, loss_of: Loss, num_steps: int
) -> Reader:
    """Train a network: AdamW, the rate rising over 50 steps and falling linearly."""
    optimizer = torch.optim.AdamW(network.parameters(), RATE, weight_decay=DECAY)
    rng = np.random.default_rng(0)
    network.to(memory_format=torch.channels_last).train()  # type: ignore[call-overload]
    for step in range(num_steps):
        rows = rng.integers(len(pictures), size=BATCH)
        images = features.to_images(pictures[rows])
        loss = loss_of(network(images), targets[torch.from_numpy(rows)])
        optimizer.zero_grad()
        loss.backward()
        for group in optimizer.param_groups:
            group["lr"] = RATE * lr_scale("linear", step, num_steps, 50)
        optimizer.step()
        if (step + 1) % 100 == 0:
            print(f"step {step + 1} of {num_steps}, loss {loss.item():.4f}", flush=True)
    return network.eval()


# ---- the network that reads factors


def make_factors(world: Path, num_steps: int) -> tuple[Reader, dict[str, object]]:
    """Return the network trained on faces as they are and as JPEG files; and what it reads."""
    faces = np.load(world / "public" / "faces.npy", mmap_mode="r")
    truth = torch.from_numpy(np.load(world / "private" / "factors.npy"))
    pictures = np.concatenate([faces, jpeg_of_any_quality(np.asarray(faces), 1)])
    seed_everything(0, "factors")
    network = fit(features.build("factors"), pictures, truth.repeat(2, 1), factor_loss, num_steps)
    held_out = features.compressed(np.load(world / "private" / "held_out.npy"))
    known = torch.from_numpy(np.load(world / "private" / "held_out_factors.npy"))
    with torch.no_grad():
        answers = torch.cat([network(features.to_images(part)) for part in pieces(held_out)])
    return network, {"read": read_well(answers, known)}


def factor_loss(answers: Tensor, truth: Tensor) -> Tensor:
    """Return the mean over the factors of cross entropy, or of squared error in half ranges."""
    losses = []
    for number, (factor, where) in enumerate(features.places()):
        wanted, said = truth[:, number], answers[:, where]
        if factor.choices:
            losses.append(F.cross_entropy(said, wanted.long()))
        else:
            middle, half = (factor.low + factor.high) / 2, (factor.high - factor.low) / 2
            losses.append(3 * F.mse_loss(said[:, 0], (wanted - middle) / half))
    return torch.stack(losses).mean()


def read_well(answers: Tensor, truth: Tensor) -> dict[str, float]:
    """Return by factor the accuracy of a choice, or the share of a number's variance explained."""
    told = {}
    for number, (factor, where) in enumerate(features.places()):
        wanted, said = truth[:, number], answers[:, where]
        if factor.choices:
            worth = (said.argmax(1) == wanted.long()).float().mean()
        else:
            middle, half = (factor.low + factor.high) / 2, (factor.high - factor.low) / 2
            error = (said[:, 0] - (wanted - middle) / half).square().mean()
            worth = 1 - error / ((wanted - middle) / half).var()
        told[factor.name] = round(worth.item(), 3)
    return told


def jpeg_of_any_quality(pictures: Pixels, seed: int) -> Pixels:
    """Return each picture as it comes back from a JPEG file of quality 40 .. 95."""
    qualities = np.random.default_rng(seed).integers(40, 96, len(pictures))
    made = [features.compressed(p[None], int(q)) for p, q in zip(pictures, qualities, strict=True)]
    return np.concatenate(made)


# ---- the detector


def make_faces(world: Path, num_steps: int) -> tuple[Reader, dict[str, object]]:
    """Return the detector, with its threshold and the share of each kind that passes for a face."""
    faces = np.load(world / "public" / "faces.npy", mmap_mode="r")[:NUM_WHOLE]
    factors = np.load(world / "private" / "factors.npy")[:NUM_WHOLE]
    broken = np.concatenate(list(break_all(np.asarray(faces), factors, NUM_ANOMALIES, 2).values()))
    whole = np.concatenate([faces] * max(1, len(broken) // len(faces)))
    pictures = np.concatenate([jpeg_of_any_quality(whole, 3), jpeg_of_any_quality(broken, 4)])
    targets = (torch.arange(len(pictures)) < len(whole)).float()
    seed_everything(0, "faces")
    network = fit(features.build("faces"), pictures, targets, face_loss, num_steps)
    held_out = np.load(world / "private" / "held_out.npy")[:NUM_HELD_OUT]
    truth = np.load(world / "private" / "held_out_factors.npy")[:NUM_HELD_OUT]
    real = logits_of(network, held_out)
    threshold = float(np.quantile(real, 1 - REACH))
    kinds = break_all(held_out, truth, NUM_ANOMALIES // 6, 5)
    passed = {
        k: round(float((logits_of(network, p) >= threshold).mean()), 3) for k, p in kinds.items()
    }
    return network, {"threshold": threshold, "taken for faces": passed}


def face_loss(answers: Tensor, targets: Tensor) -> Tensor:
    """Return the binary cross entropy."""
    return F.binary_cross_entropy_with_logits(answers[:, 0], targets)


def logits_of(network: Reader, pictures: Pixels) -> NDArray[np.float32]:
    """Return the detector's answers to pictures as JPEG files of the judge's quality."""
    with torch.no_grad():
        parts = pieces(features.compressed(pictures))
        return torch.cat([network(features.to_images(part))[:, 0] for part in parts]).numpy()


def break_all(
    faces: Pixels, factors: NDArray[np.float32], num_anomalies: int, seed: int
) -> dict[str, Pixels]:
    """Return broken faces by kind, an eighth as many as ``faces`` of most kinds."""
    rng = np.random.default_rng([seed, 1])
    num = len(faces) // 8

    def some() -> Pixels:
        return faces[rng.integers(len(faces), size=num)]

    rows = rng.integers(len(faces), size=num_anomalies)
    anomalies = [
        draw_anomaly(from_row(factors[row]), int(rng.integers(2**32)), KINDS[i % len(KINDS)])
        for i, row in enumerate(rows)
    ]
    return {
        "shuffled": shuffled(some(), rng),
        "noised": noised(some(), rng),
        "blended": ((some().astype(int) + some()) // 2).astype(np.uint8),
        "halves": np.concatenate([some()[:, :, :32], some()[:, :, 32:]], axis=2),
        "rows": np.concatenate([some()[:, :32], some()[:, 32:]], axis=1),
        "blurred": blurred(some(), rng),
        "warped": warped(some(), rng),
        "patched": patched(some(), some(), rng),
        "untrained": untrained(num, seed),
        "anomalies": np.stack(anomalies),
    }


def shuffled(faces: Pixels, rng: np.random.Generator) -> Pixels:
    """Return faces whose 16 quarters of a side changed places."""
    tiles = (
        faces.reshape(-1, 4, 16, 4, 16, 3).transpose(0, 1, 3, 2, 4, 5).reshape(-1, 16, 16, 16, 3)
    )
    mixed = np.stack([one[rng.permutation(16)] for one in tiles])
    back = mixed.reshape(-1, 4, 4, 16, 16, 3).transpose(0, 1, 3, 2, 4, 5)
    return np.ascontiguousarray(back.reshape(faces.shape))


def noised(faces: Pixels, rng: np.random.Generator) -> Pixels:
    """Return faces under Gaussian noise of 30 .. 90 grey levels, often coarse."""
    strength = rng.uniform(30, 90, (len(faces), 1, 1, 1))
    fine = rng.normal(0, 1, faces.shape)
    coarse = np.kron(rng.normal(0, 1, (len(faces), 16, 16, 3)), np.ones((1, 4, 4, 1)))
    noise = np.where(rng.random((len(faces), 1, 1, 1)) < 0.5, fine, 0.7 * coarse)
    return np.clip(faces + strength * noise, 0, 255).astype(np.uint8)


def blurred(faces: Pixels, rng: np.random.Generator) -> Pixels:
    """Return faces under a Gaussian blur of 2 .. 5 pixels."""
    sides = rng.uniform(2, 5, len(faces))
    made = [ndimage.gaussian_filter(f, (s, s, 0)) for f, s in zip(faces, sides, strict=True)]
    return np.stack(made)


def warped(faces: Pixels, rng: np.random.Generator) -> Pixels:
    """Return faces bent by a smooth field of 2 .. 6 pixels, as young generators bend them."""
    grid = np.mgrid[0:64, 0:64].astype(float)
    made = []
    for face in faces:
        field = ndimage.gaussian_filter(rng.normal(0, 1, (2, 64, 64)), (0, 5, 5))
        field *= rng.uniform(2, 6) / field.std()
        at = grid + field
        bent = [
            ndimage.map_coordinates(face[..., c], at, order=1, mode="nearest") for c in range(3)
        ]
        made.append(np.stack(bent, axis=-1))
    return np.stack(made).astype(np.uint8)


def patched(faces: Pixels, others: Pixels, rng: np.random.Generator) -> Pixels:
    """Return faces in which one to three boxes come from other places of other faces."""
    made = faces.copy()
    for picture, other in zip(made, others, strict=True):
        for _ in range(rng.integers(1, 4)):
            side = rng.integers(14, 26)
            (top, left), (y, x) = rng.integers(10, 54 - side // 2, (2, 2)).clip(0, 64 - side)
            picture[top : top + side, left : left + side] = other[y : y + side, x : x + side]
    return made


def untrained(num: int, seed: int) -> Pixels:
    """Return what generators with fresh weights make."""
    parts = []
    for number in range(4):
        seed_everything(seed, "untrained", number)
        with torch.no_grad():
            images = Generator(64, 8).train()(torch.randn(num // 4, 64))
        images = images / images.abs().amax() * (0.25 + 0.25 * number)
        parts.append(((images.permute(0, 2, 3, 1) + 1) * 127.5).numpy().astype(np.uint8))
    return np.concatenate(parts)


def pieces(pictures: Pixels) -> Iterator[Pixels]:
    """Yield the pictures in pieces of 500."""
    for start in range(0, len(pictures), 500):
        yield np.ascontiguousarray(pictures[start : start + 500])


if __name__ == "__main__":
    main()
