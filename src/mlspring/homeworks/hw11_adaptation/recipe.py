"""The knobs of homework 11; every number of a level is one of these."""

from typing import Literal

from pydantic import Field, model_validator

from mlspring.core.recipe import Section
from mlspring.core.recipe_sections import (
    CheckpointSeconds,
    EMADecay,
    LabelSmoothing,
    LearningRate,
    Schedule,
    Steps,
    ValidateEvery,
    WarmupSteps,
    WeightDecay,
)

View = Literal["grey", "sobel", "canny", "contour", "object", "shape"]


class DataKnobs(Section):
    """How photos and drawings are shown to the network."""

    image_size: int = Field(ge=32, le=256, description="side of the square input, pixels")
    views: list[View] = Field(min_length=1, description="of photos: random in training, else first")
    edge_blur: float = Field(ge=0, le=5, description="pixels, before edges; contour, shape: twice")
    edge_low: int = Field(ge=0, le=2040, description="Canny: least gradient of an edge, 0..2040")
    edge_high: int = Field(ge=0, le=2040, description="Canny: gradient that starts an edge")
    white: float = Field(
        ge=0, le=100, description="percentile of a drawing that turns white; 0: off"
    )
    hold_out: float = Field(gt=0, lt=1, description="fraction of the photos kept for validation")


class ModelKnobs(Section):
    """Which feature extractor, and how large."""

    name: Literal["plain", "residual", "deep"] = Field(description="plain: the sample's layers")
    width: int = Field(ge=4, le=256, description="channels of the first stage")
    norm: Literal["shared", "own"] = Field(description="statistics of both domains, or of each")


class AugmentKnobs(Section):
    """How a training picture of either domain is changed, beside a mirror and a turn."""

    zoom_min: float = Field(gt=0, le=1, description="smallest side of the random crop, 1 = whole")
    shift: float = Field(ge=0, le=1, description="largest shift, share of half a side")
    erase: float = Field(ge=0, le=1, description="probability of one erased box")
    sketchy: bool = Field(description="also vary size, aspect, thickness, contrast (sketches.py)")


class AdaptKnobs(Section):
    """What is learnt from the unlabelled drawings; a weight of zero leaves a term out."""

    method: Literal["source_only", "dann", "mcd"] = Field(
        description="dann: with a domain classifier; mcd: with a second label predictor"
    )
    weight: float = Field(ge=0, le=10, description="factor of the reversed gradient (lambda)")
    schedule: Literal["constant", "rising"] = Field(description="weight over the steps")
    positive_pairs: float = Field(ge=0, le=10, description="weight of SimCLR's loss on drawings")
    balance: float = Field(
        ge=0,
        le=10,
        description="weight of KL(mean prediction || uniform); moves pseudo-labels, too",
    )
    entropy: float = Field(ge=0, le=10, description="weight of the entropy of drawings")
    smooth: float = Field(ge=0, le=10, description="weight of virtual adversarial training")
    refine: float = Field(
        ge=0, lt=1, description="fraction of steps, the last, without photos (DIRT-T)"
    )
    pseudo: float = Field(ge=0, le=10, description="weight of the teacher's pseudo-labels")
    threshold: float = Field(ge=0, lt=1, description="least probability of a pseudo-label")
    start: float = Field(ge=0, lt=1, description="fraction of steps before these terms")


class TrainKnobs(Section):
    """The loop."""

    members: int = Field(ge=1, le=20, description="networks, whose predictions are averaged")
    batch_size: int = Field(ge=2, le=4096, description="photos a step, and drawings, all processes")
    class_balanced: bool = Field(description="whether photos of all classes are equally frequent")
    steps: Steps
    learning_rate: LearningRate
    weight_decay: WeightDecay
    schedule: Schedule
    warmup_steps: WarmupSteps
    label_smoothing: LabelSmoothing
    ema_decay: EMADecay
    validate_every: ValidateEvery
    checkpoint_seconds: CheckpointSeconds


class PredictKnobs(Section):
    """From averaged probabilities to classes."""

    views: int = Field(ge=0, le=64, description="random views of a drawing beside the plain one")
    balance: float = Field(ge=0, le=1, description="0: argmax; 1: equal shares of all classes")


class Recipe(Section):
    """Everything that a run of homework 11 depends on, apart from data, seed and hardware."""

    data: DataKnobs
    model: ModelKnobs
    augment: AugmentKnobs
    adapt: AdaptKnobs
    train: TrainKnobs
    predict: PredictKnobs

    @property
    def needs_drawings(self) -> bool:
        """Whether drawings take part in training, if only in the statistics of batch norm."""
        adapt = self.adapt
        asked = adapt.balance or adapt.entropy or adapt.smooth or adapt.refine or adapt.pseudo
        by_features = adapt.method != "source_only" or adapt.positive_pairs
        return bool(asked or by_features or self.model.norm == "own")

    @model_validator(mode="after")
    def _consistent(self) -> "Recipe":
        if self.data.edge_low > self.data.edge_high:
            raise ValueError("data.edge_low must not be above data.edge_high")
        for name in ("pseudo", "refine"):
            if getattr(self.adapt, name) and not self.train.ema_decay:
                raise ValueError(f"adapt.{name} needs a teacher: set train.ema_decay")
        return self
