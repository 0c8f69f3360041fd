"""The knobs of homework 15; every number of a level is one of these."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mlspring.core.recipe import Section

MethodName = Literal["transfer", "fomaml", "maml", "anil", "reptile", "protonet"]


class DataKnobs(Section):
    """Which characters training tasks are made of, and which validate."""

    held_out: int = Field(ge=1, le=40, description="alphabets kept for validation tasks")
    characters: int = Field(
        ge=0, le=100_000, description="characters that training may use, drawn by the seed; 0: all"
    )
    turns: Literal[1, 2, 4] = Field(
        description="quarter turns of a character that count as characters of their own"
    )


class AugmentKnobs(Section):
    """How each image of a training task is changed, as another hand might; all zero: not at all."""

    rotate: float = Field(ge=0, le=180, description="largest angle either way, degrees")
    zoom: float = Field(ge=0, lt=1, description="largest change of size, a share of it")
    stretch: float = Field(ge=0, le=1, description="largest change of log(width / height)")
    shift: float = Field(ge=0, le=1, description="largest shift, share of half a side")


class ModelKnobs(Section):
    """The network: four convolutions and a linear layer; the course's has 64 channels."""

    width: int = Field(ge=2, le=512, description="channels of each convolution")
    norm: Literal["query", "support"] = Field(
        description="images whose statistics normalise a query: all queries, or the support's"
    )


class MethodKnobs(Section):
    """How a network is made to learn from five images."""

    name: MethodName = Field(description="training procedure")
    inner_steps: int = Field(ge=1, le=100, description="inner updates on a training task")
    inner_rate: float = Field(gt=0, le=10, description="learning rate of inner updates")
    learnt_rates: bool = Field(
        description="inner_rate is where one rate for each step and layer starts from"
    )
    first_order_steps: int = Field(
        ge=0, le=10_000_000, description="steps without the second order, before those with it"
    )
    early_steps: int = Field(
        ge=0,
        le=10_000_000,
        description="steps in which the losses before the last inner update count, ever less",
    )
    ways: int = Field(ge=2, le=60, description="characters of a training task; all but protonet: 5")
    queries: int = Field(ge=1, le=19, description="query images a character in a training task")


class TrainKnobs(Section):
    """The loop."""

    batch_size: int = Field(ge=1, le=4096, description="tasks a step, over all processes")
    steps: int = Field(ge=1, le=10_000_000, description="updates of the weights")
    learning_rate: float = Field(gt=0, le=1, description="largest rate")
    schedule: Literal["constant", "cosine", "step"] = Field(description="rate over the steps")
    warmup_steps: int = Field(ge=0, le=1_000_000, description="steps of the rate's linear rise")
    clip_norm: float = Field(ge=0, description="largest norm of the gradient; 0: any")
    ema_decay: float = Field(ge=0, lt=1, description="moving average of the weights; 0: off")
    valid_tasks: int = Field(ge=1, le=100_000, description="tasks of a validation, always the same")
    validate_every: int = Field(ge=1, description="steps between validations")
    checkpoint_seconds: float = Field(ge=0, description="least time between resumable states")


class PredictKnobs(Section):
    """How an unseen task is answered."""

    inner_steps: int = Field(ge=0, le=1000, description="inner updates on an unseen task")
    turns: Literal[1, 2, 4] = Field(description="quarter turns of a task to average over")
    joint: bool = Field(
        description="one query a character is taken for granted: the best assignment of all five"
    )


class StudyKnobs(Section):
    """Further networks that report question 1 compares with the run's own."""

    characters: list[Annotated[int, Field(ge=5, le=100_000)]] = Field(
        description="one network each, trained on so many characters; none: no study"
    )


class Recipe(Section):
    """Everything that a run of homework 15 depends on, apart from data, seed and hardware."""

    data: DataKnobs
    augment: AugmentKnobs
    model: ModelKnobs
    method: MethodKnobs
    train: TrainKnobs
    predict: PredictKnobs
    study: StudyKnobs

    @property
    def num_members(self) -> int:
        """Networks that are trained: the one that predicts, then those of the study."""
        return 1 + len(self.study.characters)

    def of_member(self, number: int) -> "Recipe":
        """Return the recipe of one network: the study's differ in their characters only."""
        if number == 0:
            return self
        fewer = self.data.model_copy(update={"characters": self.study.characters[number - 1]})
        return self.model_copy(update={"data": fewer})

    @model_validator(mode="after")
    def _consistent(self) -> "Recipe":
        if self.method.ways != 5 and self.method.name != "protonet":
            raise ValueError(
                f"method.ways = {self.method.ways}, but the network of {self.method.name} has 5 "
                "outputs; only protonet can train with others"
            )
        if self.method.learnt_rates and self.method.name not in ("fomaml", "maml", "anil"):
            raise ValueError(f"method.learnt_rates: {self.method.name} learns no rates")
        if self.method.name == "transfer" and self.data.characters not in (0, 5):
            raise ValueError("data.characters: transfer learns 5 characters, so 5 or 0")
        if self.method.name == "transfer" and self.study.characters:
            raise ValueError("study.characters: transfer learns 5 characters, there is no study")
        if self.method.name == "transfer" and self.data.turns != 1:
            raise ValueError(
                "data.turns: transfer learns to tell its 5 characters apart, as they are: 1"
            )
        for key, numbers in (
            ("data.characters", [self.data.characters] if self.data.characters else []),
            ("study.characters", self.study.characters),
        ):
            if any(number * self.data.turns < self.method.ways for number in numbers):
                raise ValueError(
                    f"{key} times data.turns ({self.data.turns}) is less than method.ways "
                    f"({self.method.ways})"
                )
        return self
