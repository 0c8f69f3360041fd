"""The knobs of homework 7; every number of a level is one of these."""

from typing import Literal

from pydantic import Field, model_validator

from mlspring.core.recipe import Section
from mlspring.core.recipe_sections import (
    CheckpointSeconds,
    ClipNorm,
    LearningRate,
    Schedule,
    Steps,
    ValidateEvery,
    WarmupSteps,
    WeightDecay,
)

Masking = Literal["tokens", "spans", "recall"]


class WindowKnobs(Section):
    """What a network sees of a question and of its paragraph."""

    question: int = Field(ge=4, le=200, description="tokens of a question at most")
    length: int = Field(ge=8, le=500, description="tokens of a window into the paragraph")
    stride: int = Field(
        ge=1, le=500, description="tokens from one window to the next where answers are looked for"
    )
    place: Literal["centred", "anywhere"] = Field(
        description="training window: the answer in its middle, or anywhere inside"
    )


class EncoderKnobs(Section):
    """The network below the span head, and where its first weights come from."""

    source: Literal["trained", "given"] = Field(
        description="trained: ours, pre-trained at first use; given: a BERT of a folder or the hub"
    )
    name: str = Field(description="given: a folder, or a name on the Hugging Face hub; else empty")
    match: bool = Field(
        description="ours: a segment of its own for tokens that the question has, too"
    )
    layers: int = Field(ge=1, le=24, description="ours: blocks")
    width: int = Field(ge=4, le=1024, description="ours: numbers of a token between the blocks")
    heads: int = Field(ge=1, le=16, description="ours: of attention; they share the width")
    convolution: int = Field(
        ge=0, le=31, description="ours: tokens that a convolution below the blocks sees; 0: none"
    )
    feed_forward: int = Field(ge=4, le=4096, description="ours: units of a block's dense layers")
    dropout: float = Field(ge=0, lt=1, description="share of numbers dropped in a block")


class PretrainKnobs(Section):
    """How our encoder learns from the training paragraphs alone; made once for all runs."""

    masking: Masking = Field(
        description="tokens: each alone; spans: neighbours together; recall: a hidden phrase that "
        "stands elsewhere in the window"
    )
    share: float = Field(gt=0, lt=1, description="of the tokens that are hidden")
    steps: int = Field(ge=1, le=10_000_000, description="updates of the encoder")
    batch_size: int = Field(ge=2, le=4096, description="windows a step")
    learning_rate: float = Field(gt=0, le=1, description="largest rate")
    warmup_steps: int = Field(ge=0, le=1_000_000, description="steps of the rate's linear rise")


class TrainKnobs(Section):
    """The loop."""

    batch_size: int = Field(ge=2, le=4096, description="questions a step, over all processes")
    steps: Steps
    learning_rate: LearningRate
    weight_decay: WeightDecay
    schedule: Schedule
    warmup_steps: WarmupSteps
    clip_norm: ClipNorm
    validate_every: ValidateEvery
    checkpoint_seconds: CheckpointSeconds


class SpanKnobs(Section):
    """From scores of starts and ends to an answer."""

    rule: Literal["sample", "joint"] = Field(
        description="sample: best start and best end, apart; joint: the best pair that is a span"
    )
    longest: int = Field(ge=1, le=500, description="joint: tokens of an answer at most")
    members: int = Field(ge=1, le=16, description="networks whose scores are averaged")


class StudyKnobs(Section):
    """Further encoders that report question 2 compares with the run's own."""

    maskings: list[Masking] = Field(description="one encoder each, pre-trained so; none: no study")
    layers: list[int] = Field(description="blocks of each; as many as maskings")


class Recipe(Section):
    """Everything that a run of homework 7 depends on, apart from data, seed and hardware."""

    window: WindowKnobs
    encoder: EncoderKnobs
    pretrain: PretrainKnobs
    train: TrainKnobs
    span: SpanKnobs
    study: StudyKnobs

    @property
    def num_networks(self) -> int:
        """Networks that are fine-tuned: those that answer, then those of the study."""
        return self.span.members + len(self.study.maskings)

    @property
    def work(self) -> Literal["dense", "wide"]:
        """Which arithmetic to try: a given BERT is wide enough for bf16, ours is not."""
        return "wide" if self.encoder.source == "given" else "dense"

    def of(self, number: int) -> "Recipe":
        """Return the recipe of network ``number``: those of the study have other encoders."""
        place = number - self.span.members
        if place < 0:
            return self
        encoder = self.encoder.model_copy(update={"layers": self.study.layers[place]})
        pretrain = self.pretrain.model_copy(update={"masking": self.study.maskings[place]})
        return self.model_copy(update={"encoder": encoder, "pretrain": pretrain})

    @model_validator(mode="after")
    def _consistent(self) -> "Recipe":
        encoder, window = self.encoder, self.window
        if window.stride > window.length:
            raise ValueError("window.stride above window.length would leave tokens unread")
        if encoder.width % encoder.heads or encoder.width % 2:
            raise ValueError("encoder.width must be even, and a multiple of encoder.heads")
        if (encoder.source == "given") != bool(encoder.name):
            raise ValueError("encoder.name is for encoder.source = 'given', and needed there")
        if encoder.match and encoder.source == "given":
            raise ValueError("encoder.match: a given BERT has no segment for it; use false")
        if encoder.convolution and encoder.convolution % 2 == 0:
            raise ValueError("encoder.convolution must be odd (a token and its neighbours), or 0")
        if len(self.study.maskings) != len(self.study.layers):
            raise ValueError("study.maskings and study.layers need one entry an encoder each")
        if self.study.maskings and encoder.source == "given":
            raise ValueError("study.maskings: only our own encoders are pre-trained; use []")
        return self
