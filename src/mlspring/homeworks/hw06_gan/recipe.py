"""The knobs of homework 6; every number of a level is one of these."""

from typing import Literal

from pydantic import Field, model_validator

from mlspring.core import recipe_sections as shared
from mlspring.core.recipe import Section

MethodName = Literal["dcgan", "wgan", "wgan_gp", "stylegan"]


class ModelKnobs(Section):
    """The pair of networks; which pair it is the method says."""

    z_dim: int = Field(ge=1, le=4096, description="numbers that a picture is made from")
    feature_dim: int = Field(
        ge=4, le=512, description="generator: maps of the widest picture; others have up to 8 times"
    )
    discriminator_dim: int = Field(
        ge=4, le=512, description="discriminator: maps of its first layer; later have up to 8 times"
    )


class MethodKnobs(Section):
    """How generator and discriminator learn from each other."""

    name: MethodName = Field(description="losses, optimizer and pair: methods.py")
    critic_steps: int = Field(
        ge=1, le=100, description="discriminator updates for each one of the generator"
    )
    clip: float = Field(ge=0, le=10, description="wgan: largest size of a critic's weight")
    penalty: float = Field(ge=0, le=1000, description="wgan_gp: lambda of the gradient penalty")
    r1: float = Field(ge=0, le=1000, description="stylegan: gamma of R1; 0: off")
    r1_every: int = Field(ge=1, le=1000, description="stylegan: discriminator steps between two R1")
    generator_rate: float = Field(
        gt=0, le=100, description="the generator's learning rate, times the discriminator's"
    )
    beta1: float = Field(ge=0, lt=1, description="Adam: share of the old gradient kept")
    beta2: float = Field(gt=0, lt=1, description="Adam: share of the old square kept")


class DifferentKnobs(Section):
    """What is done to real and generated pictures alike before a discriminator sees them."""

    translate: float = Field(ge=0, lt=1, description="largest shift, share of the side")
    cutout: float = Field(ge=0, lt=1, description="side of a grey square, share of the side")
    colour: float = Field(ge=0, lt=1, description="largest change of brightness and contrast")


class TrainKnobs(Section):
    """The loop; a step is one update of the generator."""

    batch_size: int = Field(ge=2, le=4096, description="real pictures in a discriminator update")
    steps: shared.Steps
    learning_rate: shared.LearningRate
    schedule: shared.Schedule
    ema_decay: shared.EMADecay
    validate_every: shared.ValidateEvery
    checkpoint_seconds: shared.CheckpointSeconds


class StudyKnobs(Section):
    """Five short trainings behind the figures of the report questions."""

    feature_dim: int = Field(ge=4, le=512, description="width of their pairs")
    steps: int = Field(ge=1, le=10_000_000, description="updates of each generator")


class Recipe(Section):
    """Everything that a run of homework 6 depends on, apart from data, seed and hardware."""

    model: ModelKnobs
    method: MethodKnobs
    augment: DifferentKnobs
    train: TrainKnobs
    study: StudyKnobs

    @model_validator(mode="after")
    def _method_has_its_number(self) -> "Recipe":
        method = self.method
        if method.name == "wgan" and method.clip == 0:
            raise ValueError("method.clip = 0, but wgan is bounded by nothing else: try 0.01")
        if method.name == "wgan_gp" and method.penalty == 0:
            raise ValueError("method.penalty = 0, but wgan_gp is bounded by nothing else: try 10")
        return self
