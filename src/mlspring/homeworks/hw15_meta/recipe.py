"""The knobs of homework 15; every number of a level is one of these."""

from dataclasses import dataclass, replace
from typing import Annotated, Literal

from pydantic import Field, model_validator

from mlspring.core.recipe import Section
from mlspring.core.recipe_sections import (
    CheckpointSeconds,
    EMADecay,
    LearningRate,
    Schedule,
    Steps,
    ValidateEvery,
)

MethodName = Literal["transfer", "fomaml", "maml", "anil", "reptile", "protonet"]
Norm = Literal["query", "support"]


@dataclass(frozen=True, kw_only=True)
class InnerLoop:
    """How weights are adapted to a task, in training or at the test."""

    method: MethodName
    steps: int  # updates on a task's support
    rate: float  # of these updates, where the network has not learnt its own
    norm: Norm  # whose statistics normalise the queries, see ModelKnobs
    second_order: bool = False  # whether gradients by the first weights go through the updates

    @property
    def head_only(self) -> bool:
        """Whether the linear layer alone moves: Raghu et al. 2020 (ANIL), arXiv:1909.09157."""
        return self.method == "anil"


class DataKnobs(Section):
    """Which characters training tasks are made of, and which validate."""

    held_out: int = Field(ge=1, le=40, description="alphabets kept for validation tasks")
    turns: Literal[1, 2, 4] = Field(
        description="quarter turns of a character that count as characters of their own"
    )


class ModelKnobs(Section):
    """The network: four convolutions and a linear layer; the course's has 64 channels."""

    width: int = Field(ge=2, le=512, description="channels of each convolution")
    norm: Norm = Field(
        description="images whose statistics normalise a query: all queries, or the support's"
    )


class MethodKnobs(Section):
    """How a network is made to learn from five images."""

    name: MethodName = Field(description="training procedure")
    inner_steps: int = Field(ge=1, le=100, description="inner updates on a training task")
    inner_rate: float = Field(gt=0, le=10, description="learning rate of inner updates")
    learnt_rates: bool = Field(
        description="learn one rate for each step and layer, all beginning at inner_rate"
    )
    ways: int = Field(ge=2, le=60, description="characters of a training task; all but protonet: 5")
    queries: int = Field(ge=1, le=19, description="query images a character in a training task")


class TrainKnobs(Section):
    """The outer loop: a step is one update from ``batch_size`` tasks."""

    batch_size: int = Field(ge=1, le=4096, description="tasks a step, over all processes")
    steps: Steps
    learning_rate: LearningRate
    schedule: Schedule
    ema_decay: EMADecay
    valid_tasks: int = Field(ge=1, le=100_000, description="tasks of a validation, always the same")
    validate_every: ValidateEvery
    checkpoint_seconds: CheckpointSeconds


class PredictKnobs(Section):
    """How an unseen task is answered."""

    inner_steps: int = Field(ge=0, le=1000, description="inner updates on an unseen task")
    turns: Literal[1, 2, 4] = Field(description="quarter turns of a task to average over")


class StudyKnobs(Section):
    """Further networks that report question 1 compares with the run's own."""

    characters: list[Annotated[int, Field(ge=5, le=100_000)]] = Field(
        description="one network each, trained on so many characters; none: no study"
    )


class Recipe(Section):
    """Everything that a run of homework 15 depends on, apart from data, seed and hardware."""

    data: DataKnobs
    model: ModelKnobs
    method: MethodKnobs
    train: TrainKnobs
    predict: PredictKnobs
    study: StudyKnobs

    @property
    def num_members(self) -> int:
        """Networks that are trained: the one that predicts, then those of the study."""
        return 1 + len(self.study.characters)

    def num_characters(self, number: int) -> int:
        """Return how many characters network ``number`` trains on; 0: all that there are."""
        if self.method.name == "transfer":
            return self.method.ways
        return 0 if number == 0 else self.study.characters[number - 1]

    @property
    def training_loop(self) -> InnerLoop:
        """The inner loop of training tasks."""
        steps, second_order = self.method.inner_steps, self.method.name in ("maml", "anil")
        return replace(self.test_loop, steps=steps, second_order=second_order)

    @property
    def test_loop(self) -> InnerLoop:
        """The inner loop of unseen tasks: those of a validation, and the test's."""
        name, steps, rate = self.method.name, self.predict.inner_steps, self.method.inner_rate
        return InnerLoop(method=name, steps=steps, rate=rate, norm=self.model.norm)

    @model_validator(mode="after")
    def _consistent(self) -> "Recipe":
        name, ways, turns = self.method.name, self.method.ways, self.data.turns
        study, transfers = self.study.characters, self.method.name == "transfer"
        faults = {
            f"method.ways = {ways}, but the network of {name} has 5 outputs; only protonet can "
            "train with others": ways != 5 and name != "protonet",
            f"method.learnt_rates: {name} learns no rates": self.method.learnt_rates
            and name not in ("fomaml", "maml", "anil"),
            "study.characters: transfer learns 5 characters, so there is no study": transfers
            and study,
            "data.turns: transfer learns to tell 5 characters apart, as they are": transfers
            and turns != 1,
            f"study.characters times data.turns ({turns}) is less than method.ways ({ways})": any(
                number * turns < ways for number in study
            ),
        }
        for message, is_there in faults.items():
            if is_there:
                raise ValueError(message)
        return self
