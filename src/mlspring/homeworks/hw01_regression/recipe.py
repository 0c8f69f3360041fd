"""The knobs of homework 1; every number of a level is one of these."""

from typing import Literal

from pydantic import Field, model_validator

from mlspring.core.recipe import Section
from mlspring.core.recipe_sections import (
    CheckpointSeconds,
    ClipNorm,
    LearningRate,
    Schedule,
    Steps,
    ValidateEvery,
    WarmupSteps,
    WeightDecay,
)


class DataKnobs(Section):
    """Which columns the network sees, what it predicts, and how the rows are split."""

    states: bool = Field(description="give the 37 one-hot state columns")
    habits: bool = Field(description="give the 55 behaviour and mood columns")
    changes: bool = Field(description="add day-to-day changes of illness and positive tests")
    select: int = Field(
        ge=0, le=200, description="columns kept, those most correlated with the target; 0: all"
    )
    standardise: bool = Field(description="mean 0 and deviation 1 on the training rows")
    target: Literal["value", "change"] = Field(
        description="predict day 5 itself, or its difference from day 4"
    )
    split: Literal["time", "random"] = Field(
        description="hold out the last days of each run, or random rows, which leak"
    )
    held_out: float = Field(gt=0, lt=1, description="share of the rows held out; folds ignore it")
    folds: int = Field(
        ge=0, le=20, description="blocks of time, each held out by one network; 0: a single one"
    )


class ModelKnobs(Section):
    """The network."""

    hidden: list[int] = Field(min_length=1, max_length=6, description="units of each hidden layer")
    activation: Literal["relu", "silu"] = Field(description="after each hidden layer")
    linear_path: bool = Field(description="add a linear model beside the layers")
    dropout: float = Field(ge=0, lt=1, description="share of hidden units dropped in training")


class TrainKnobs(Section):
    """The loop."""

    batch_size: int = Field(ge=1, le=100_000, description="rows a step, over all processes")
    steps: Steps
    optimizer: Literal["sgd", "adamw"] = Field(description="stochastic gradient descent or AdamW")
    learning_rate: LearningRate
    momentum: float = Field(ge=0, lt=1, description="memory of sgd, first beta of adamw")
    weight_decay: WeightDecay
    schedule: Schedule
    warmup_steps: WarmupSteps
    clip_norm: ClipNorm
    patience: int = Field(
        ge=0, description="steps without a better validation before the best is kept; 0: the last"
    )
    validate_every: ValidateEvery
    checkpoint_seconds: CheckpointSeconds


class Recipe(Section):
    """Everything that a run of homework 1 depends on, apart from data, seed and hardware."""

    data: DataKnobs
    model: ModelKnobs
    train: TrainKnobs

    @property
    def num_members(self) -> int:
        """Networks that are trained and averaged."""
        return max(self.data.folds, 1)

    @model_validator(mode="after")
    def _consistent(self) -> "Recipe":
        if self.data.folds == 1:
            raise ValueError("data.folds = 1 holds everything out; use 0 or at least 2")
        if self.data.folds and self.data.split == "random":
            raise ValueError("data.folds are blocks of time; they need data.split = 'time'")
        if any(not 1 <= units <= 4096 for units in self.model.hidden):
            raise ValueError("model.hidden needs 1 to 4096 units in each layer")
        return self
