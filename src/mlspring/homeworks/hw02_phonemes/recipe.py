"""The knobs of homework 2; every number of a level is one of these."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mlspring.core.recipe import Section
from mlspring.core.recipe_sections import (
    CheckpointSeconds,
    ClipNorm,
    EMADecay,
    LabelSmoothing,
    LearningRate,
    Schedule,
    Steps,
    ValidateEvery,
    WarmupSteps,
    WeightDecay,
)

Layers = Annotated[int, Field(ge=1, le=20)]
Rate = Annotated[float, Field(ge=0, lt=1)]


class DataKnobs(Section):
    """What validates, where the data have no validation part of their own (the world has one)."""

    split: Literal["utterance", "speaker"] = Field(
        description="hold out utterances, as the course does, or all that a speaker says"
    )
    held_out: float = Field(gt=0, lt=1, description="share of the utterances, or of the speakers")


class ModelKnobs(Section):
    """Which network, and how large."""

    name: Literal["window", "recurrent"] = Field(
        description="window: frames around one, dense layers; recurrent: whole utterances, BiLSTM"
    )
    frames: int = Field(ge=1, le=101, description="n, frames of a window; odd")
    stride: int = Field(ge=1, le=8, description="frames that the recurrent network reads at once")
    layers: Layers = Field(description="hidden layers, the first included")
    width: int = Field(ge=1, le=8192, description="units of a hidden layer, of each direction")
    batch_norm: bool = Field(description="normalise before each ReLU (window)")
    dropout: Rate = Field(description="share of units dropped after each hidden layer")


class AugmentKnobs(Section):
    """How training utterances are changed (recurrent)."""

    stretch: float = Field(
        ge=0, le=0.3, description="largest change of the vocal tract's length, a share of it"
    )


class TrainKnobs(Section):
    """The loop."""

    batch_size: int = Field(ge=1, le=1_000_000, description="frames a step, over all processes")
    steps: Steps
    learning_rate: LearningRate
    weight_decay: WeightDecay
    schedule: Schedule
    warmup_steps: WarmupSteps
    label_smoothing: LabelSmoothing
    clip_norm: ClipNorm
    ema_decay: EMADecay
    validate_every: ValidateEvery
    checkpoint_seconds: CheckpointSeconds


class StudyKnobs(Section):
    """Further networks that the report questions compare with the run's own."""

    layers: list[Layers] = Field(
        description="question 1: one network each, so deep and with as many weights"
    )
    dropout: list[Rate] = Field(description="question 2: one network each, with this dropout")


class Recipe(Section):
    """Everything that a run of homework 2 depends on, apart from data, seed and hardware."""

    data: DataKnobs
    model: ModelKnobs
    augment: AugmentKnobs
    train: TrainKnobs
    study: StudyKnobs

    @property
    def num_members(self) -> int:
        """Networks that are trained: the one that predicts, then those of the study."""
        return 1 + len(self.study.layers) + len(self.study.dropout)

    @model_validator(mode="after")
    def _consistent(self) -> "Recipe":
        model, study = self.model, self.study
        recurrent = model.name == "recurrent"
        faults = {
            f"model.frames = {model.frames} is even: no frame is in the middle": not model.frames
            % 2,
            "model.frames: the recurrent network reads whole utterances; use 1": recurrent
            and model.frames != 1,
            "model.batch_norm: the recurrent network has none": recurrent and model.batch_norm,
            "model.stride: only the recurrent network reads several frames at once": not recurrent
            and model.stride != 1,
            "augment changes whole utterances: use model.name = 'recurrent'": not recurrent
            and bool(self.augment.stretch),
            "study.layers compares dense networks: use model.name = 'window'": recurrent
            and bool(study.layers),
        }
        for message, is_there in faults.items():
            if is_there:
                raise ValueError(message)
        return self
