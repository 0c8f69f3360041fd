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
    channels: list[Annotated[int, Field(ge=1, le=512)]] = Field(
        max_length=4, description="of convolutions of stride 2 that make the tokens; none: picked"
    )
    every: int = Field(ge=1, le=16, description="each so many frames one is a token, if picked")
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
        description="one each that lacks its blocks' convolution modules, those below, or both"
    )
    feed_forward: list[Annotated[int, Field(ge=4)]] = Field(description="units; all of equal size")


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
        """Return network ``number``: those of the study lack convolutions and have more units."""
        if number == 0:
            return self.model
        lacks, units = self.study.without[number - 1], self.study.feed_forward[number - 1]
        module = {} if lacks == "subsampling" else {"kernel": 0}
        below: dict[str, list[int]] = {} if lacks == "module" else {"channels": []}
        return self.model.model_copy(update={"feed_forward": units, **module, **below})

    @model_validator(mode="after")
    def _consistent(self) -> "Recipe":
        model = self.model
        if model.width % (2 * model.heads):
            raise ValueError("model.width must be a multiple of twice model.heads")
        if model.kernel % 2 == 0 and model.kernel:
            raise ValueError("model.kernel must be odd, or 0")
        if model.kernel and model.encoder != "conformer":
            raise ValueError("model.kernel: only a conformer has a convolution; use 0")
        if self.study.without and not (model.kernel and model.channels):
            raise ValueError("study.without: the run's own network must have both convolutions")
        if len(self.study.without) != len(self.study.feed_forward):
            raise ValueError("study.feed_forward: give a number for each of study.without")
        if self.classifier.margin and not self.classifier.scale:
            raise ValueError("classifier.margin is of cosines: it needs classifier.scale above 0")
        return self
