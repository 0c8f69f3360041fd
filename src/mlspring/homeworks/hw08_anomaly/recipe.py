"""The knobs of homework 8; every number of a level is one of these."""

from typing import Literal

from pydantic import Field, model_validator

from mlspring.core.recipe import Section
from mlspring.core.recipe_sections import (
    CheckpointSeconds,
    LearningRate,
    Schedule,
    Steps,
    ValidateEvery,
    WarmupSteps,
)

STUDY_UNITS, STUDY_BATCH, STUDY_SIDE = 128, 64, 32  # of the two networks of the report


class DataKnobs(Section):
    """Which pictures, at which size."""

    image_size: Literal[16, 32, 64] = Field(
        description="side that a network sees, pixels; the course's 64 are averaged down to it"
    )
    held_out: int = Field(ge=2, le=100_000, description="last training pictures, kept to validate")


class ModelKnobs(Section):
    """Which autoencoder, and how narrow its middle."""

    encoder: Literal["dense", "conv", "multi"] = Field(
        description="the decoder is of the same kind; multi: both and a third, added"
    )
    units: list[int] = Field(
        min_length=1, max_length=6, description="of the encoder's layers: units, or channels"
    )
    latent: int = Field(ge=1, le=4096, description="numbers of the code")
    kl_weight: float = Field(
        ge=0, le=1000, description="beta of a variational autoencoder; 0: a plain one"
    )


class NoiseKnobs(Section):
    """Training pictures that are spoilt, for the autoencoder to mend."""

    share: float = Field(ge=0, le=1, description="probability that a picture is spoilt")
    largest: float = Field(
        ge=0.1, le=1, description="largest side of the box, share of the picture"
    )


class ClassifierKnobs(Section):
    """The extra network that is told where a picture was spoilt."""

    width: int = Field(ge=0, le=256, description="channels of its first stage; 0: there is none")
    compares: bool = Field(description="whether it sees the reconstruction, not the picture alone")


class TrainKnobs(Section):
    """The loop."""

    batch_size: int = Field(ge=2, le=8192, description="pictures a step, over all processes")
    steps: Steps
    learning_rate: LearningRate
    schedule: Schedule
    warmup_steps: WarmupSteps
    validate_every: ValidateEvery
    checkpoint_seconds: CheckpointSeconds


class ScoreKnobs(Section):
    """From a map of what is suspicious to one number for a picture."""

    by: Literal["error", "classifier"] = Field(description="whose map")
    window: int = Field(
        ge=1, le=64, description="side of the window whose mean counts, the largest; pixels seen"
    )


class StudyKnobs(Section):
    """The two small fully connected networks of the report: a plain one and a VAE."""

    steps: int = Field(ge=1, le=1_000_000, description="updates of each")
    latent: int = Field(ge=2, le=64, description="numbers of their codes")


class Recipe(Section):
    """Everything that a run of homework 8 depends on, apart from data, seed and hardware."""

    data: DataKnobs
    model: ModelKnobs
    noise: NoiseKnobs
    classifier: ClassifierKnobs
    train: TrainKnobs
    score: ScoreKnobs
    study: StudyKnobs

    @property
    def work(self) -> Literal["conv", "wide"]:
        """The kind of arithmetic."""
        return "wide" if self.model.encoder == "dense" else "conv"

    @property
    def networks(self) -> range:
        """Numbers of the networks of a run: its own, and the study's plain and variational one."""
        return range(3)

    def of(self, number: int) -> "Recipe":
        """Return the recipe of a network by its number."""
        if number == 0:
            return self
        side = min(self.data.image_size, STUDY_SIDE)
        changes: dict[str, dict[str, object]] = {
            "data": {"image_size": side},
            "model": {
                "encoder": "dense",
                "units": [STUDY_UNITS],
                "latent": self.study.latent,
                "kl_weight": float(number - 1),
            },
            "noise": {"share": 0.0},
            "classifier": {"width": 0},
            "train": {"steps": self.study.steps, "batch_size": STUDY_BATCH},
            "score": {"by": "error", "window": side},
        }
        parts = {name: getattr(self, name).model_copy(update=new) for name, new in changes.items()}
        return self.model_copy(update=parts)

    @model_validator(mode="after")
    def _consistent(self) -> "Recipe":
        if self.classifier.width and not self.noise.share:
            raise ValueError("classifier.width needs spoilt pictures: noise.share > 0")
        if self.score.by == "classifier" and not self.classifier.width:
            raise ValueError("score.by = 'classifier' needs one: classifier.width > 0")
        side = self.data.image_size
        if self.score.window > side:
            raise ValueError(
                f"score.window = {self.score.window}: at most data.image_size = {side}"
            )
        stages = len(self.model.units)
        if self.model.encoder != "dense" and side % 2**stages:
            raise ValueError(f"{stages} model.units halve data.image_size = {side} too often")
        return self
