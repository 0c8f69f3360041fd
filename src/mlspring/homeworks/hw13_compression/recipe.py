"""The knobs of homework 13; every number of a level is one of these."""

import itertools
from typing import Literal

from pydantic import Field, model_validator

from mlspring.core import recipe_sections as shared
from mlspring.core.recipe import Section
from mlspring.core.recipe_sections import AugmentKnobs
from mlspring.homeworks.hw13_compression.architecture import MAX_PARAMETERS, Architecture


class DataKnobs(Section):
    """Which pictures, at which size."""

    image_size: int = Field(ge=32, le=512, description="side of the square input, pixels")
    resize: int | None = Field(
        default=None,
        ge=32,
        le=1024,
        description="short side of a picture before the input is cut from its middle, pixels; "
        "left out: the whole picture, squeezed into the square",
    )


class StudentKnobs(Section):
    """The network that is handed in, at most 100,000 parameters."""

    name: Literal["plain", "separable", "inverted", "residual"] = Field(
        description="plain: the sample's layers"
    )
    channels: list[int] = Field(description="channels of each group, see architecture.py")
    start: Literal["fresh", "teacher"] = Field(
        description="first weights: drawn, or the teacher's with its weakest channels removed"
    )


class DistillKnobs(Section):
    """What the student learns from the teacher's soft labels."""

    weight: float = Field(
        ge=0, le=1, description="alpha: share of the soft-label loss, the rest is cross-entropy"
    )
    temperature: float = Field(gt=0, le=100, description="T by which logits are divided")


class TrainKnobs(Section):
    """The loop."""

    batch_size: int = Field(ge=2, le=4096, description="pictures a step, over all processes")
    steps: shared.Steps
    learning_rate: shared.LearningRate
    weight_decay: shared.WeightDecay
    schedule: shared.Schedule
    warmup_steps: shared.WarmupSteps
    ema_decay: shared.EMADecay
    validate_every: shared.ValidateEvery
    checkpoint_seconds: shared.CheckpointSeconds


class CompressKnobs(Section):
    """What is done to the finished student, to be measured beside it; no score depends on it."""

    keep: list[float] = Field(description="shares of channels that its pruned copies keep, falling")
    finetune_steps: int = Field(ge=1, le=10**6, description="updates of each pruned copy")
    finetune_rate: float = Field(gt=0, le=1, description="largest learning rate of these")
    pictures: int = Field(ge=1, description="held-out pictures behind the student's pruning curve")
    repeats: int = Field(ge=1, le=1000, description="timings of a network; the median counts")


class TeacherKnobs(Section):
    """The network to learn from; trained once for all runs."""

    source: Literal["trained", "given"] = Field(
        description="trained: ours, made at first use; given: the course's checkpoint"
    )
    training: Literal["painted", "photos"] = Field(
        description="rates and augmentation of ours: teachers/painted.toml or teachers/photos.toml"
    )
    width: int = Field(ge=2, le=256, description="channels of the first stage of ours")
    steps: int = Field(ge=1, le=10_000_000, description="updates of ours")


class TeacherTraining(Section):
    """How our own teacher is trained: what ``teachers/*.toml`` hold."""

    learning_rate: shared.LearningRate
    weight_decay: shared.WeightDecay
    schedule: shared.Schedule
    warmup_steps: shared.WarmupSteps
    ema_decay: shared.EMADecay
    validate_every: shared.ValidateEvery
    augment: AugmentKnobs


class Recipe(Section):
    """Everything that a run of homework 13 depends on, apart from data, seed and hardware."""

    data: DataKnobs
    student: StudentKnobs
    distill: DistillKnobs
    augment: AugmentKnobs
    train: TrainKnobs
    compress: CompressKnobs
    teacher: TeacherKnobs

    @property
    def architecture(self) -> Architecture:
        """The student as a description."""
        return Architecture(name=self.student.name, channels=tuple(self.student.channels))

    @property
    def needs_teacher(self) -> bool:
        """Whether anything is learnt or taken from a teacher."""
        return self.distill.weight > 0 or self.student.start == "teacher"

    @model_validator(mode="after")
    def _consistent(self) -> "Recipe":
        if self.data.resize is not None and self.data.resize < self.data.image_size:
            raise ValueError(f"data.resize = {self.data.resize} is less than data.image_size")
        num_parameters = self.architecture.num_parameters
        if num_parameters > MAX_PARAMETERS:
            raise ValueError(
                f"student.channels make {num_parameters:,} parameters, "
                f"at most {MAX_PARAMETERS:,} are allowed"
            )
        for key, value, needed in (
            ("student.name", self.student.name, "residual"),
            ("teacher.source", self.teacher.source, "trained"),
        ):
            if self.student.start == "teacher" and value != needed:
                raise ValueError(f"student.start = 'teacher' needs {key} = {needed!r}")
        keep = self.compress.keep
        if any(less >= more for more, less in itertools.pairwise([1.0, *keep, 0.0])):
            raise ValueError(f"compress.keep = {keep}, expected falling shares between 0 and 1")
        return self
