"""The knobs of homework 4; every number of a level is one of these."""

import math
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, model_validator

from mlspring.core.recipe import Section
from mlspring.core.recipe_sections import (
    CheckpointSeconds,
    ClipNorm,
    EMADecay,
    LabelSmoothing,
    LearningRate,
    Schedule,
    Steps,
    ValidateEvery,
    WarmupSteps,
    WeightDecay,
)
from mlspring.core.speech_features import NUM_MELS


class DataKnobs(Section):
    """What a step sees of an utterance, and which utterances it never sees."""

    segment: int = Field(ge=1, le=10_000, description="frames of a random segment; 100 a second")
    held_out: float = Field(
        gt=0, lt=1, description="share of each speaker's utterances to validate on; one at least"
    )


class ModelKnobs(Section):
    """Which network, and how large."""

    encoder: Literal["transformer", "conformer"] = Field(description="kind of its blocks")
    every: int = Field(ge=1, le=16, description="each so many frames one is a token")
    channels: list[Annotated[int, Field(ge=1, le=512)]] = Field(
        max_length=4,
        description="of the convolutions that make the tokens, each of stride 2; none: frames are "
        "picked",
    )
    width: int = Field(ge=4, le=2048, description="numbers of a token between the blocks")
    heads: int = Field(ge=1, le=64, description="of attention; they share the width")
    layers: int = Field(ge=1, le=24, description="blocks")
    feed_forward: int = Field(ge=4, le=8192, description="units of a block's dense layers")
    kernel: int = Field(
        ge=0, le=101, description="conformer: tokens under a convolution; 0: no convolution"
    )
    dropout: float = Field(ge=0, lt=1, description="share of numbers dropped in a block")
    pooling: Literal["mean", "attention"] = Field(description="from tokens to one vector")


class ClassifierKnobs(Section):
    """How an embedding is compared with the speakers, and what training asks of the logits."""

    scale: float = Field(
        ge=0, le=100, description="s of logits s cos(embedding, speaker); 0: a dense layer's logits"
    )
    margin: float = Field(
        ge=0, lt=1, description="m, taken from the right speaker's cosine in training; needs scale"
    )
    label_smoothing: LabelSmoothing


class TrainKnobs(Section):
    """The loop."""

    batch_size: int = Field(ge=2, le=4096, description="segments a step, over all processes")
    steps: Steps
    learning_rate: LearningRate
    weight_decay: WeightDecay
    schedule: Schedule
    warmup_steps: WarmupSteps
    clip_norm: ClipNorm
    ema_decay: EMADecay
    validate_every: ValidateEvery
    checkpoint_seconds: CheckpointSeconds


class StudyKnobs(Section):
    """Further networks that report question 2 compares with the run's own."""

    without: list[Literal["module", "subsampling", "both"]] = Field(
        description="one network each, of equal size, without the convolution modules of its "
        "blocks, without those that make its tokens, or without both; none: no study"
    )
    every: int = Field(ge=1, le=16, description="each so many frames one is such a token, picked")


class Recipe(Section):
    """Everything that a run of homework 4 depends on, apart from data, seed and hardware."""

    data: DataKnobs
    model: ModelKnobs
    classifier: ClassifierKnobs
    train: TrainKnobs
    study: StudyKnobs

    @property
    def num_members(self) -> int:
        """Networks that are trained: the one that predicts, then those of the study."""
        return 1 + len(self.study.without)

    def model_of(self, number: int) -> ModelKnobs:
        """Return network ``number``: those of the study lack convolutions, and are no smaller.

        The feed-forward modules, two a block with 2 d weights a unit each, get the weights instead.
        """
        model = self.model
        if number == 0:
            return model
        lacks, less = self.study.without[number - 1], {}
        if lacks != "subsampling":
            less |= {"kernel": 0}
        if lacks != "module":
            less |= {"channels": [], "every": self.study.every}
        smaller = model.model_copy(update=less)
        spare = weights_of_convolutions(model) - weights_of_convolutions(smaller)
        units = model.feed_forward + round(spare / (4 * model.width * model.layers))
        return smaller.model_copy(update={"feed_forward": units})

    @model_validator(mode="after")
    def _consistent(self) -> "Recipe":
        model = self.model
        if model.width % (2 * model.heads):
            raise ValueError("model.width must be a multiple of twice model.heads")
        if model.channels and model.every != 2 ** len(model.channels):
            raise ValueError(
                f"model.channels: {len(model.channels)} convolutions of stride 2 make a token of "
                f"every {2 ** len(model.channels)} frames; give model.every this number"
            )
        if model.kernel % 2 == 0 and model.kernel:
            raise ValueError("model.kernel must be odd, or 0")
        if model.kernel and model.encoder != "conformer":
            raise ValueError("model.kernel: only a conformer has a convolution; use 0")
        if self.study.without and not (model.kernel and model.channels):
            raise ValueError("study.without: the run's own network must have both convolutions")
        if self.classifier.margin and not self.classifier.scale:
            raise ValueError("classifier.margin is of cosines: it needs classifier.scale above 0")
        return self


def weights_of_convolutions(model: ModelKnobs) -> int:
    """Return about how many weights a network has in its convolutions, and below its blocks."""
    module = 3 * model.width**2 + model.kernel * model.width if model.kernel else 0
    kernels = sum(9 * inputs * outputs for inputs, outputs in pairwise((1, *model.channels)))
    tops = model.channels[-1] if model.channels else 1
    bands = math.ceil(NUM_MELS / 2 ** len(model.channels))
    return model.layers * module + kernels + tops * bands * model.width
