"""The knobs of homework 11; every number of a level is one of these."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mlspring.core.recipe import Section

SLACK = 0.005  # shares may be rounded


class DataKnobs(Section):
    """How photos and drawings are shown to the network."""

    image_size: int = Field(ge=32, le=256, description="side of the square input, pixels")
    views: list[Literal["grey", "sobel", "canny", "contour", "object", "shape"]] = Field(
        min_length=1, description="pictures of a photo; a step takes one at random, tests the first"
    )
    edge_blur: float = Field(
        ge=0, le=5, description="blur before edges are sought, pixels; contour, shape: twice that"
    )
    edge_low: int = Field(ge=0, le=2040, description="Canny: least gradient of an edge, 0..2040")
    edge_high: int = Field(ge=0, le=2040, description="Canny: gradient that starts an edge")
    ink: Literal["auto", "bright", "dark"] = Field(
        description="strokes of the drawings; dark ones are inverted, auto looks at the pictures"
    )
    white: float = Field(
        ge=0, le=100, description="percentile of each drawing that is made white; 0: as it is"
    )
    shares: list[Annotated[float, Field(gt=0, lt=1)]] = Field(
        description="the classes' shares of the drawings, where they are known; empty: equal"
    )
    hold_out: float = Field(gt=0, lt=1, description="share of the photos kept for validation")


class ModelKnobs(Section):
    """Which feature extractor, and how large."""

    name: Literal["plain", "residual", "deep"] = Field(
        description="plain: the sample's layers; deep: residual, halved once more, one linear layer"
    )
    width: int = Field(ge=4, le=256, description="channels of the first stage")
    norm: Literal["shared", "own"] = Field(
        description="batch norm's statistics: of both domains together, or each domain's own"
    )


class AugmentKnobs(Section):
    """How a training picture of either domain is changed; all zero: not at all."""

    flip: float = Field(ge=0, le=1, description="probability of a left-right mirror")
    rotate: float = Field(ge=0, le=180, description="largest angle either way, degrees")
    zoom_min: float = Field(gt=0, le=1, description="smallest side of the random crop, 1 = whole")
    zoom_max: float = Field(
        ge=1, le=2, description="largest side of the crop; beyond 1 the picture shrinks"
    )
    shift: float = Field(ge=0, le=1, description="largest shift, share of half a side")
    stretch: float = Field(ge=0, le=1, description="largest change of log(width / height)")
    beyond: Literal["mirror", "dark"] = Field(description="what a crop shows outside the picture")
    thick: float = Field(ge=0, le=1, description="probability of lines a pixel thicker")
    frame: float = Field(
        ge=0, le=1, description="probability that only the inside of an oval stays"
    )
    erase: float = Field(ge=0, le=1, description="probability of one erased box")
    clutter: float = Field(
        ge=0, le=1, description="probability that a photo's edges lie over a drawing's twin"
    )
    contrast: float = Field(
        ge=0, le=0.4, description="largest share of the brightness cut off at either end"
    )


class AdaptKnobs(Section):
    """What is asked of the unlabelled drawings; a weight of zero leaves a term out."""

    method: Literal["source_only", "dann", "mcd"] = Field(
        description="how the two distributions of features are brought together"
    )
    weight: float = Field(ge=0, le=10, description="reversed gradient's factor in the extractor")
    schedule: Literal["constant", "rising"] = Field(
        description="rising: weight * (2 / (1 + exp(-10 progress)) - 1), as in the paper"
    )
    entropy: float = Field(ge=0, le=10, description="weight of the drawings' mean entropy")
    balance: float = Field(
        ge=0,
        le=10,
        description="weight of KL(mean prediction || uniform); also moves pseudo-labels",
    )
    smooth: float = Field(ge=0, le=10, description="weight of virtual adversarial training")
    radius: float = Field(gt=0, le=100, description="length of its step, root of summed squares")
    twins: float = Field(
        ge=0, le=10, description="weight of finding each drawing's twin, changed anew, among others"
    )
    photo_twins: float = Field(ge=0, le=10, description="weight of the same for photos")
    pseudo: float = Field(ge=0, le=10, description="weight of the teacher's pseudo-labels")
    threshold: float = Field(ge=0, lt=1, description="least probability of a pseudo-label")
    start: float = Field(ge=0, lt=1, description="share of the steps before these terms begin")
    refine: float = Field(
        ge=0, lt=1, description="share of the last steps that ask nothing of photos (DIRT-T)"
    )
    stay: float = Field(
        ge=0, le=100, description="weight, in those steps, of KL(teacher || prediction)"
    )

    @property
    def asks_predictions(self) -> bool:
        """Whether any term asks something of the predictions on drawings."""
        return bool(self.entropy or self.balance or self.smooth or self.pseudo or self.stay)

    @property
    def needs_twins(self) -> bool:
        """Whether a step shows each picture twice."""
        return bool(self.twins or self.photo_twins)


class TrainKnobs(Section):
    """The loop."""

    members: int = Field(ge=1, le=20, description="networks, whose predictions are averaged")
    batch_size: int = Field(ge=2, le=4096, description="photos a step, and drawings, all processes")
    even: bool = Field(description="whether photos are drawn from all classes alike often")
    steps: int = Field(ge=1, le=10_000_000, description="updates of the weights")
    learning_rate: float = Field(gt=0, le=1, description="largest rate")
    weight_decay: float = Field(ge=0, le=100, description="a step times learning rate")
    schedule: Literal["constant", "cosine", "step"] = Field(description="rate over the steps")
    warmup_steps: int = Field(ge=0, le=1_000_000, description="steps of the rate's linear rise")
    label_smoothing: float = Field(ge=0, lt=1, description="target mass spread over all classes")
    clip_norm: float = Field(ge=0, description="largest norm of the gradient; 0: any")
    ema_decay: float = Field(ge=0, lt=1, description="moving average of the weights; 0: off")
    keep: Literal["last", "source_risk", "entropy", "agreement", "balance"] = Field(
        description="which validation's weights predict: the last, or the best by this monitor"
    )
    validate_every: int = Field(ge=1, description="steps between validations")
    checkpoint_seconds: float = Field(ge=0, description="least time between resumable states")


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
    def sees_drawings(self) -> bool:
        """Whether any drawing takes part in training, if only in the statistics of batch norm."""
        alone = self.adapt.method == "source_only" and not self.adapt.asks_predictions
        return self.model.norm == "own" or self.adapt.needs_twins or not alone

    @model_validator(mode="after")
    def _consistent(self) -> "Recipe":
        if self.data.shares and abs(sum(self.data.shares) - 1) > SLACK:
            raise ValueError(f"data.shares must add up to 1, not to {sum(self.data.shares):.3f}")
        if self.data.edge_low > self.data.edge_high:
            raise ValueError("data.edge_low must not be above data.edge_high")
        if (self.adapt.pseudo or self.adapt.stay) and not self.train.ema_decay:
            raise ValueError("adapt.pseudo and adapt.stay need a teacher: set train.ema_decay")
        if self.adapt.refine and not self.adapt.asks_predictions:
            raise ValueError("adapt.refine leaves nothing to learn from: set e.g. adapt.pseudo")
        return self
