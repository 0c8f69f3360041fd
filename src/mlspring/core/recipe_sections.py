"""Sections and keys of a recipe that several homeworks share: one name, one meaning, one bound.

A homework's ``recipe.py`` lists its own keys in its own order; those that others have, too, are
taken from here.
"""

from typing import Annotated, Literal, Protocol

from pydantic import Field

from mlspring.core.recipe import Section

Steps = Annotated[int, Field(ge=1, le=10_000_000, description="updates of the weights")]
LearningRate = Annotated[float, Field(gt=0, le=1, description="largest rate")]
WeightDecay = Annotated[float, Field(ge=0, le=100, description="a step times learning rate")]
Schedule = Annotated[
    Literal["constant", "cosine", "linear", "step"], Field(description="rate over the steps")
]
WarmupSteps = Annotated[
    int, Field(ge=0, le=1_000_000, description="steps of the rate's linear rise")
]
LabelSmoothing = Annotated[
    float, Field(ge=0, lt=1, description="target mass spread over all classes")
]
ClipNorm = Annotated[float, Field(ge=0, description="largest norm of the gradient; 0: any")]
EMADecay = Annotated[float, Field(ge=0, lt=1, description="moving average of the weights; 0: off")]
ValidateEvery = Annotated[int, Field(ge=1, description="steps between validations")]
CheckpointSeconds = Annotated[float, Field(ge=0, description="least time between resumable states")]


class LoopKnobs(Protocol):
    """The keys of ``[train]`` that every loop has."""

    @property
    def learning_rate(self) -> float: ...  # noqa: D102
    @property
    def validate_every(self) -> int: ...  # noqa: D102
    @property
    def checkpoint_seconds(self) -> float: ...  # noqa: D102


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


class ViewKnobs(Section):
    """Test-time augmentation: a * mean over views + (1 - a) * the plain picture."""

    views: int = Field(ge=0, le=64, description="random views of a test picture")
    views_weight: float = Field(ge=0, le=1, description="a, the weight of their mean")
