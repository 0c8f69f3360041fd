"""The knobs of homework 5; every number of a level is one of these."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mlspring.core import recipe_sections as shared
from mlspring.core.recipe import Section

Schedule = Annotated[
    Literal["constant", "cosine", "inverse_sqrt"], Field(description="rate over the steps")
]


class DataKnobs(Section):
    """How text becomes tokens."""

    vocabulary: int = Field(ge=16, le=64_000, description="subwords of both languages, at most")


class ModelKnobs(Section):
    """Which network, and how large."""

    kind: Literal["gru", "transformer"] = Field(description="what encodes and decodes")
    width: int = Field(ge=4, le=2048, description="numbers of a token's embedding")
    hidden: int = Field(
        ge=4, le=8192, description="units of the recurrent state, or of a block's dense layer"
    )
    heads: int = Field(ge=1, le=64, description="of a transformer's attention")
    layers: int = Field(ge=1, le=24, description="of the encoder, and as many of the decoder")
    dropout: float = Field(ge=0, lt=1, description="share of numbers dropped between layers")


class TrainKnobs(Section):
    """The loop."""

    batch_tokens: int = Field(
        ge=8, le=1_000_000, description="longest sentence times sentences of a step, at most"
    )
    steps: shared.Steps
    learning_rate: shared.LearningRate
    weight_decay: shared.WeightDecay
    schedule: Schedule
    warmup_steps: shared.WarmupSteps
    clip_norm: shared.ClipNorm
    label_smoothing: shared.LabelSmoothing
    average_last: int = Field(
        ge=1, le=1_000_000, description="last steps whose weights are averaged; 1: none but the end"
    )
    validate_every: shared.ValidateEvery
    checkpoint_seconds: shared.CheckpointSeconds


class SearchKnobs(Section):
    """How a translation is found."""

    beam: int = Field(ge=1, le=64, description="beginnings kept at once; 1: greedy")
    length_penalty: float = Field(
        ge=0, le=3, description="power of the length by which a log probability is divided"
    )


class BackKnobs(Section):
    """Back-translation: Chinese text without English gets English from a backward model."""

    sentences: int = Field(ge=0, description="Chinese lines that are translated; 0: off")
    steps: shared.Steps
    beam: int = Field(ge=0, le=64, description="of the backward search; 0: tokens are drawn")
    keep: float = Field(gt=0, le=1, description="share kept, those of highest log probability")
    last_real: float = Field(ge=0, lt=1, description="share of the steps, the last, without them")


class Recipe(Section):
    """Everything that a run of homework 5 depends on, apart from data, seed and hardware."""

    data: DataKnobs
    model: ModelKnobs
    train: TrainKnobs
    search: SearchKnobs
    back: BackKnobs

    @model_validator(mode="after")
    def _consistent(self) -> "Recipe":
        model = self.model
        if model.kind == "transformer" and model.width % (2 * model.heads):
            raise ValueError("model.width must be a multiple of twice model.heads")
        if model.hidden % 2:
            raise ValueError("model.hidden must be even: a gru reads forwards and backwards")
        return self
