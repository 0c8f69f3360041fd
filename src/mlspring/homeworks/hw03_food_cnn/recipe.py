"""The knobs of homework 3; every number of a level is one of these."""

from typing import Literal

from pydantic import Field, model_validator

from mlspring.core.recipe import Section
from mlspring.core.recipe_sections import (
    AugmentKnobs,
    CheckpointSeconds,
    ClipNorm,
    EMADecay,
    LabelSmoothing,
    LearningRate,
    Schedule,
    Steps,
    ValidateEvery,
    ViewKnobs,
    WarmupSteps,
    WeightDecay,
)


class DataKnobs(Section):
    """Which pictures, at which size, and how they are split."""

    image_size: int = Field(ge=16, le=512, description="side of the square input, pixels")
    pool: Literal["training", "training+validation"] = Field(
        description="pictures that training may use"
    )
    folds: int = Field(
        ge=0, le=20, description="networks, each holding out one fold of the pool; 0: a single one"
    )


class ModelKnobs(Section):
    """Which network, and how large."""

    name: Literal["plain", "stacked", "residual"] = Field(
        description="plain: the sample's layers; stacked: residual without its skips"
    )
    width: int = Field(ge=4, le=256, description="channels of the first stage")
    dropout: float = Field(
        ge=0, lt=1, description="share of features dropped before the classifier"
    )


class TrainKnobs(Section):
    """The loop."""

    batch_size: int = Field(ge=2, le=4096, description="pictures a step, over all processes")
    crop_size: int = Field(
        ge=0, le=512, description="side of the random window that a step sees, pixels; 0: the whole"
    )
    steps: Steps
    learning_rate: LearningRate
    weight_decay: WeightDecay
    schedule: Schedule
    warmup_steps: WarmupSteps
    label_smoothing: LabelSmoothing
    clip_norm: ClipNorm
    ema_decay: EMADecay
    validate_every: ValidateEvery
    checkpoint_seconds: CheckpointSeconds


class Recipe(Section):
    """Everything that a run of homework 3 depends on, apart from data, seed and hardware."""

    data: DataKnobs
    model: ModelKnobs
    augment: AugmentKnobs
    train: TrainKnobs
    predict: ViewKnobs

    @property
    def num_members(self) -> int:
        """Networks that are trained and averaged."""
        return max(self.data.folds, 1)

    @model_validator(mode="after")
    def _consistent(self) -> "Recipe":
        if self.data.folds == 1:
            raise ValueError("data.folds = 1 holds everything out; use 0 or at least 2")
        if self.data.pool == "training+validation" and self.data.folds == 0:
            raise ValueError("data.pool = 'training+validation' needs data.folds of at least 2")
        crop = self.train.crop_size
        if crop and not 16 <= crop <= self.data.image_size:
            raise ValueError(f"train.crop_size = {crop}: use 0, or 16 to data.image_size")
        if crop and self.model.name == "plain":
            raise ValueError(
                "train.crop_size needs a network for any size: model.name = 'residual'"
            )
        return self
