"""The knobs of homework 10; every number of a level is one of these."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mlspring.core import recipe_sections as shared
from mlspring.core.recipe import Section
from mlspring.core.recipe_sections import AugmentKnobs

MAX_EPSILON = 8  # grey levels of 255, by which a pixel may differ from the benign picture's
GIVEN = ("given/resnet20", "given/resnet32")  # published networks, files beside official data
NetworkName = Literal[
    "plain_bn", "plain_gn", "residual_bn", "residual_gn", "preact_bn", "squeeze_bn",
    "dense_bn", "separable_bn", "wide_bn", "nin_bn", "given/resnet20", "given/resnet32",
]  # fmt: skip
Names = Annotated[list[NetworkName], Field(min_length=1)]


class NetworksKnobs(Section):
    """The classifiers at hand: which are attacked, and which only tell how it went."""

    proxies: Names = Field(description="networks whose gradients make the attack")
    held_out: Names = Field(description="networks that no gradient comes from, to validate on")
    source: Literal["shipped", "trained"] = Field(
        description="weights that come with the package, or trained at first use and kept"
    )
    training: Literal["painted", "photos"] = Field(
        description="rates and augmentation of a training: classifiers/painted.toml or photos.toml"
    )
    steps: int = Field(ge=1, le=10_000_000, description="updates of each network that is trained")


class AttackKnobs(Section):
    """The rule: by how much, and as what the pictures are seen."""

    epsilon: float = Field(
        gt=0, le=MAX_EPSILON, description="largest change of a pixel, grey levels of 255"
    )
    combine: Literal["losses", "logits", "probabilities"] = Field(
        description="what is averaged over the proxies"
    )
    momentum: float = Field(
        ge=0, le=2, description="mu: what is kept of earlier steps' gradients; 0: I-FGSM"
    )
    diversity: float = Field(ge=0, le=1, description="DIM: probability that a picture is resized")
    smallest: float = Field(gt=0, le=1, description="DIM: smallest side, share of the picture's")
    largest: float = Field(ge=1, le=2, description="DIM: largest side, share of the picture's")
    smoothing: int = Field(
        ge=1, le=15, description="TI: side of the Gaussian over the gradient, pixels, odd; 1: off"
    )
    scales: int = Field(ge=1, le=8, description="SI: copies, each half as bright as the one before")
    admix: float = Field(
        ge=0, le=1, description="share of another class's picture mixed in; 0: off"
    )

    @model_validator(mode="after")
    def _odd(self) -> "AttackKnobs":
        if self.smoothing % 2 == 0:
            raise ValueError(f"attack.smoothing = {self.smoothing}, expected an odd number")
        return self


class TrainKnobs(Section):
    """The loop: what it trains are the pictures."""

    steps: shared.Steps
    # alpha = learning_rate * attack.epsilon grey levels
    learning_rate: shared.LearningRate
    validate_every: shared.ValidateEvery
    checkpoint_seconds: shared.CheckpointSeconds


class ClassifierTraining(Section):
    """How a classifier is trained: what ``classifiers/*.toml`` hold."""

    batch_size: int = Field(ge=2, le=4096, description="pictures a step")
    steps: shared.Steps  # unless a recipe's networks.steps says otherwise
    learning_rate: shared.LearningRate
    weight_decay: shared.WeightDecay
    schedule: shared.Schedule
    warmup_steps: shared.WarmupSteps
    ema_decay: shared.EMADecay
    label_smoothing: shared.LabelSmoothing
    validate_every: shared.ValidateEvery
    checkpoint_seconds: shared.CheckpointSeconds
    augment: AugmentKnobs


class Recipe(Section):
    """Everything that a run of homework 10 depends on, apart from data, seed and hardware."""

    networks: NetworksKnobs
    attack: AttackKnobs
    train: TrainKnobs

    @model_validator(mode="after")
    def _black_box(self) -> "Recipe":
        proxies, held_out = self.networks.proxies, self.networks.held_out
        for name in proxies:
            if name in held_out:
                raise ValueError(f"networks.proxies and networks.held_out both name {name!r}")
        for names in (proxies, held_out):
            if len(set(names)) < len(names):
                raise ValueError("a list of networks names one twice")
        return self
