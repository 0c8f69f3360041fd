"""The knobs of homework 3; every number of a level is one of these."""

from typing import Literal

from pydantic import Field, model_validator

from mlspring.core.recipe import Section


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

    name: Literal["plain", "residual"] = Field(description="plain: the sample's layers")
    width: int = Field(ge=4, le=256, description="channels of the first stage")
    dropout: float = Field(
        ge=0, lt=1, description="share of features dropped before the classifier"
    )


class AugmentKnobs(Section):
    """How a training picture is changed; all zero: not at all."""

    flip: float = Field(ge=0, le=1, description="probability of a left-right mirror")
    rotate: float = Field(ge=0, le=180, description="largest angle either way, degrees")
    zoom_min: float = Field(gt=0, le=1, description="smallest side of the random crop, 1 = whole")
    shift: float = Field(ge=0, le=1, description="largest shift, share of half a side")
    stretch: float = Field(ge=0, le=1, description="largest change of log(width / height)")
    brightness: float = Field(ge=0, lt=1, description="factor 1 +- this")
    contrast: float = Field(ge=0, lt=1, description="factor 1 +- this")
    saturation: float = Field(ge=0, lt=1, description="factor 1 +- this")
    tint: float = Field(ge=0, lt=1, description="factor of each colour channel 1 +- this")
    erase: float = Field(ge=0, le=1, description="probability of one erased box")
    mixup: float = Field(ge=0, le=5, description="alpha of Beta(alpha, alpha); 0: off")
    cutmix: float = Field(ge=0, le=1, description="probability that a batch is cut-mixed instead")


class TrainKnobs(Section):
    """The loop."""

    batch_size: int = Field(ge=2, le=4096, description="pictures a step, over all processes")
    steps: int = Field(ge=1, le=10_000_000, description="updates of the weights")
    learning_rate: float = Field(gt=0, le=1, description="largest rate")
    weight_decay: float = Field(ge=0, le=100, description="a step times learning rate")
    schedule: Literal["constant", "cosine", "step"] = Field(description="rate over the steps")
    warmup_steps: int = Field(ge=0, le=1_000_000, description="steps of the rate's linear rise")
    label_smoothing: float = Field(ge=0, lt=1, description="target mass spread over all classes")
    clip_norm: float = Field(ge=0, description="largest norm of the gradient; 0: any")
    ema_decay: float = Field(ge=0, lt=1, description="moving average of the weights; 0: off")
    validate_every: int = Field(ge=1, description="steps between validations")
    checkpoint_seconds: float = Field(ge=0, description="least time between resumable states")


class PredictKnobs(Section):
    """Test-time augmentation: a * mean over views + (1 - a) * the plain picture."""

    views: int = Field(ge=0, le=64, description="random views of a test picture")
    views_weight: float = Field(ge=0, le=1, description="a, the weight of their mean")


class Recipe(Section):
    """Everything that a run of homework 3 depends on, apart from data, seed and hardware."""

    data: DataKnobs
    model: ModelKnobs
    augment: AugmentKnobs
    train: TrainKnobs
    predict: PredictKnobs

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
        return self
