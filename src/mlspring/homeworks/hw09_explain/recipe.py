"""The knobs of homework 9; every number of a recipe is one of these."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mlspring.core.recipe import Section
from mlspring.core.recipe_sections import (
    CheckpointSeconds,
    LearningRate,
    Schedule,
    Steps,
    ValidateEvery,
)

MapName = Literal["lime", "saliency", "smoothgrad", "integrated", "gradcam"]
PictureMethod = Literal[MapName, "filters"]
TextMethod = Literal["attention", "embeddings", "distances"]
MethodName = Literal[PictureMethod, TextMethod]
TEXT_METHODS: tuple[TextMethod, ...] = ("attention", "embeddings", "distances")
MAPS: tuple[MapName, ...] = ("lime", "saliency", "smoothgrad", "integrated", "gradcam")


class DataKnobs(Section):
    """Which pictures, at which size."""

    image_size: int = Field(ge=16, le=512, description="side of the square input, pixels")


class NetworkKnobs(Section):
    """The network that is explained."""

    file: str = Field(
        description="weights to explain, .safetensors or the course's .pth, also beside the "
        "pictures; empty: train them"
    )
    keep: bool = Field(description="train it once for all runs with this data, recipe and seed")
    blocks: list[Annotated[int, Field(ge=1, le=8)]] = Field(
        min_length=1, max_length=6, description="convolutions of each stage"
    )
    channels: list[Annotated[int, Field(ge=1, le=1024)]] = Field(
        min_length=1, max_length=6, description="channels of each stage"
    )
    hidden: int = Field(ge=2, le=8192, description="units before the logits")


class ExplainKnobs(Section):
    """What is explained."""

    methods: list[MethodName] = Field(min_length=1, description="methods of this run")
    pictures: int = Field(
        ge=1, le=1000, description="pictures of each class that maps are scored on"
    )
    curve_steps: int = Field(
        ge=2, le=1000, description="parts in which insertion and deletion move the pixels"
    )


class LimeKnobs(Section):
    """LIME."""

    num_segments: int = Field(ge=2, le=2000, description="superpixels a picture, about")
    compactness: float = Field(gt=0, le=1000, description="colour counts less, the larger it is")
    num_samples: int = Field(ge=10, le=100_000, description="passes a picture")


class SmoothGradKnobs(Section):
    """SmoothGrad."""

    noise_level: float = Field(
        ge=0, le=2, description="standard deviation, share of the picture's range"
    )
    num_samples: int = Field(ge=1, le=10_000, description="noisy copies a picture")


class IntegratedKnobs(Section):
    """Integrated gradients."""

    steps: int = Field(ge=1, le=10_000, description="gradients a picture")
    baseline: Literal["black", "white", "blur"] = Field(description="the picture x' it starts from")


class FilterKnobs(Section):
    """Filter visualisation."""

    layers: list[Annotated[int, Field(ge=0, le=200)]] = Field(
        min_length=1, description="modules of the convolutional part, counted from 0"
    )
    filters: list[Annotated[int, Field(ge=0, le=1023)]] = Field(
        min_length=1, description="channels of each of these layers"
    )
    steps: int = Field(ge=1, le=10_000, description="steps of the gradient ascent")
    learning_rate: float = Field(gt=0, le=10, description="a step, share of black to white")
    jitter: int = Field(ge=0, le=64, description="largest random shift before a step, pixels")


class TextKnobs(Section):
    """The encoder that is explained, and what it reads."""

    model: str = Field(
        description="a BERT to explain: a folder as transformers saves it, also beside the "
        "pictures, or .safetensors of a run of hw09 or hw07; empty: train one"
    )
    word: Literal["蘋果", "小米", "亞馬遜", "杜鵑"] = Field(
        description="whose senses are compared in the figures"
    )
    texts: int = Field(ge=10, le=1000, description="texts with questions that numbers are means of")
    layers: int = Field(ge=1, le=24, description="layers of the encoder")
    width: int = Field(ge=4, le=2048, description="numbers of a token")
    heads: int = Field(ge=1, le=32, description="of each layer")
    hidden: float = Field(gt=0, lt=1, description="share of the tokens to name in training")
    batch_size: int = Field(ge=2, le=4096, description="texts a step")
    alone: int = Field(ge=0, description="first steps, which read sentences alone, four for a text")
    steps: Steps
    learning_rate: LearningRate


class TrainKnobs(Section):
    """The picture network's loop; the encoder's looks and saves as often."""

    batch_size: int = Field(ge=2, le=4096, description="pictures a step, over all processes")
    steps: Steps
    learning_rate: LearningRate
    schedule: Schedule
    validate_every: ValidateEvery
    checkpoint_seconds: CheckpointSeconds


class Recipe(Section):
    """Everything that a run of homework 9 depends on, apart from data, seed and hardware."""

    data: DataKnobs
    network: NetworkKnobs
    explain: ExplainKnobs
    lime: LimeKnobs
    smoothgrad: SmoothGradKnobs
    integrated: IntegratedKnobs
    filters: FilterKnobs
    text: TextKnobs
    train: TrainKnobs

    @property
    def maps(self) -> list[MapName]:
        """The methods of the run that give a map of the pixels."""
        return [name for name in MAPS if name in self.explain.methods]

    @property
    def reads(self) -> bool:
        """Whether a method of the run explains the encoder."""
        return any(name in self.explain.methods for name in TEXT_METHODS)

    @property
    def looks(self) -> bool:
        """Whether a method of the run explains the picture network."""
        return any(name not in TEXT_METHODS for name in self.explain.methods)

    @model_validator(mode="after")
    def _consistent(self) -> "Recipe":
        network, methods = self.network, self.explain.methods
        if len(set(methods)) != len(methods):
            raise ValueError("explain.methods names a method twice")
        if len(network.blocks) != len(network.channels):
            raise ValueError("network.blocks and network.channels must have a number for a stage")
        if self.data.image_size < 2 ** len(network.blocks):
            raise ValueError("network.blocks has more stages than data.image_size can be halved")
        if self.text.width % self.text.heads or self.text.width % 2:
            raise ValueError("text.width must be even and a multiple of text.heads")
        self._check_filters()
        return self

    def _check_filters(self) -> None:
        """Raise ValueError where a layer or one of its filters is not there."""
        width_of = [
            width
            for count, width in zip(self.network.blocks, self.network.channels, strict=True)
            for _ in range(3 * count + 1)  # convolution, batch norm, ReLU; the pooling
        ]
        for layer in self.filters.layers:
            if layer >= len(width_of):
                raise ValueError(f"filters.layers has {layer}, the last one is {len(width_of) - 1}")
            if max(self.filters.filters) >= width_of[layer]:
                raise ValueError(
                    f"filters.filters has {max(self.filters.filters)}, but layer {layer} has "
                    f"{width_of[layer]} filters, counted from 0"
                )
