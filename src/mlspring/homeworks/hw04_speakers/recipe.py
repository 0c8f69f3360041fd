"""The knobs of homework 4; every number of a level is one of these."""

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

    kernels: list[Annotated[int, Field(ge=0, le=101)]] = Field(
        description="one conformer each, of equal size, with such a kernel; none: no study"
    )


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
        return 1 + len(self.study.kernels)

    def model_of(self, number: int) -> ModelKnobs:
        """Return network ``number``: those of the study differ by their kernel, not by their size.

        A convolution module has about 3 d^2 + k d weights. Where it goes, the two feed-forward
        modules, of 4 d weights a unit, get as many.
        """
        model = self.model
        if number == 0:
            return model
        kernel = self.study.kernels[number - 1]
        weights = [3 * model.width + k if k else 0 for k in (model.kernel, kernel)]
        units = model.feed_forward + round((weights[0] - weights[1]) / 4)
        return model.model_copy(update={"kernel": kernel, "feed_forward": units})

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
        if any(kernel and kernel % 2 == 0 for kernel in (model.kernel, *self.study.kernels)):
            raise ValueError("a kernel must be odd, or 0")
        if model.kernel and model.encoder != "conformer":
            raise ValueError("model.kernel: only a conformer has a convolution; use 0")
        if self.study.kernels and model.encoder != "conformer":
            raise ValueError("study.kernels: only a conformer has a convolution; use []")
        if self.classifier.margin and not self.classifier.scale:
            raise ValueError("classifier.margin is of cosines: it needs classifier.scale above 0")
        return self
