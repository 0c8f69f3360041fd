"""The knobs of homework 14; every number of a recipe is one of these."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mlspring.core.recipe import Section
from mlspring.core.recipe_sections import CheckpointSeconds, LearningRate, ValidateEvery

Scenario = Literal["domain", "task", "class"]
MethodName = Literal[
    "finetune", "ewc", "mas", "si", "rwalk", "scp", "lwf", "replay", "gem", "icarl", "dgr", "joint"
]  # fmt: skip

NUM_DIGITS, SPLIT_DIGITS = 10, 2  # in a task; of the stream "split"


class DataKnobs(Section):
    """What the tasks are."""

    stream: Literal["rotated", "permuted", "split"] = Field(
        description="tasks: turned digits, shuffled pixels, or two digits each"
    )
    num_tasks: int = Field(ge=2, le=20, description="tasks, one after another")
    angle: float = Field(ge=0, le=180, description="turn from a task to the next, degrees")
    scenarios: list[Scenario] = Field(
        description="domain: same outputs; task: its number is told; class: a new class each"
    )


class ModelKnobs(Section):
    """The network; the course fixes 784-1024-512-256-10."""

    hidden: list[Annotated[int, Field(ge=2, le=8192)]] = Field(
        min_length=1, description="units a hidden layer"
    )


class MethodKnobs(Section):
    """Which methods, and what they share."""

    names: list[MethodName] = Field(description="methods, one network each")
    memory: int = Field(ge=10, le=1_000_000, description="images kept of old tasks, all together")
    replayed: int = Field(ge=1, le=4096, description="old images a step, over all processes")


class StrengthKnobs(Section):
    """Lambda of each method: what holding on to old tasks weighs against the new one.

    The importances of two methods differ by orders, so their strengths cannot be compared.
    """

    ewc: float = Field(ge=0, le=1e9, description="of the penalty of EWC")
    mas: float = Field(ge=0, le=1e9, description="of the penalty of MAS")
    si: float = Field(ge=0, le=1e9, description="of the penalty of SI")
    rwalk: float = Field(ge=0, le=1e9, description="of the penalty of RWalk")
    scp: float = Field(ge=0, le=1e9, description="of the penalty of SCP")
    lwf: float = Field(ge=0, le=1e9, description="of the old network's outputs in LwF")
    icarl: float = Field(ge=0, le=1e9, description="of the old network's outputs in iCaRL")

    def of(self, name: MethodName) -> float:
        """Return the method's lambda; 0 for one that has none."""
        return float(getattr(self, name, 0.0))


class TrainKnobs(Section):
    """The loop."""

    batch_size: int = Field(ge=2, le=4096, description="images a step, over all processes")
    steps_per_task: int = Field(
        ge=1, le=10_000_000, description="updates of the weights on each task"
    )
    learning_rate: LearningRate
    validate_every: ValidateEvery
    checkpoint_seconds: CheckpointSeconds


class Recipe(Section):
    """Everything that a run of homework 14 depends on, apart from data, seed and hardware."""

    data: DataKnobs
    model: ModelKnobs
    method: MethodKnobs
    strength: StrengthKnobs
    train: TrainKnobs

    @property
    def members(self) -> list[tuple[Scenario, MethodName]]:
        """Scenario and method of each network, in the order of training."""
        return [(s, name) for s in self.data.scenarios for name in self.method.names]

    @model_validator(mode="after")
    def _consistent(self) -> "Recipe":
        for key, names in (
            ("data.scenarios", self.data.scenarios),
            ("method.names", self.method.names),
        ):
            if not names or len(set(names)) != len(names):
                raise ValueError(f"{key} must name at least one, and none twice")
        if self.data.stream == "split" and self.data.num_tasks > NUM_DIGITS // SPLIT_DIGITS:
            raise ValueError("data.stream = 'split' has ten digits, so at most 5 data.num_tasks")
        if self.data.stream != "split" and self.data.scenarios != ["domain"]:
            raise ValueError(
                f"data.stream = {self.data.stream!r} has the same digits in every task, which is "
                "the scenario 'domain'; the others need data.stream = 'split'"
            )
        earlier, memory = self.data.num_tasks - 1, self.method.memory
        classes = SPLIT_DIGITS if self.data.stream == "split" else NUM_DIGITS
        for name, kept, least in (
            ("replay", "each", earlier),
            ("gem", "each", earlier),
            ("icarl", "each class of each", earlier * classes),  # it answers with means of classes
        ):
            if name in self.method.names and memory < least:
                raise ValueError(
                    f"method.memory = {memory} is too small for {name}, which keeps an image of "
                    f"{kept} of {earlier} earlier tasks: at least {least}"
                )
        return self
