"""The knobs of homework 12; every number of a level is one of these."""

from typing import Literal

from pydantic import Field, model_validator

from mlspring.core.recipe import Section


class CollectKnobs(Section):
    """How the environment is played while learning."""

    num_envs: int = Field(ge=1, le=4096, description="environments side by side, all processes")
    horizon: int = Field(
        ge=0,
        le=100_000,
        description="steps of each a round; 0, and reinforce always: one whole episode of each",
    )
    held_out: int = Field(
        ge=1, le=10_000, description="episodes that choose the best weights; never the judge's"
    )


class ModelKnobs(Section):
    """Which network, and how large."""

    hidden: list[int] = Field(description="units of each hidden layer")
    activation: Literal["tanh", "relu"] = Field(description="between the layers")
    critic: Literal["none", "shared", "separate"] = Field(
        description="who tells the value: nobody, the policy's own layers, or others like them"
    )
    dueling: bool = Field(description="dqn: value and advantages apart, Q = V + A - mean A")


class MethodKnobs(Section):
    """What is learnt from what was played."""

    name: Literal["reinforce", "actor_critic", "ppo", "dqn"] = Field(description="the procedure")
    credit: Literal["immediate", "return", "gae"] = Field(
        description="what an action is praised for: its own reward, all later ones, or "
        "generalised advantages over a critic"
    )
    gamma: float = Field(ge=0, le=1, description="worth of a reward one step later")
    gae_lambda: float = Field(
        ge=0, le=1, description="0: one step and the critic; 1: all rewards, the critic as baseline"
    )
    normalise: bool = Field(description="bring the advantages of a batch to mean 0, deviation 1")
    reward_scale: float = Field(gt=0, le=1, description="factor of rewards while learning")
    entropy: float = Field(ge=0, le=1, description="weight of the entropy, which keeps exploring")
    value_weight: float = Field(ge=0, le=10, description="weight of the critic's loss")
    epochs: int = Field(ge=1, le=100, description="ppo: passes over what a round brought")
    clip_ratio: float = Field(gt=0, lt=1, description="ppo: how far a probability's ratio counts")


class ReplayKnobs(Section):
    """The memory and the exploration of dqn."""

    capacity: int = Field(ge=1, le=10_000_000, description="transitions kept")
    begin: int = Field(ge=1, description="transitions before the first update")
    target_every: int = Field(ge=1, description="updates between copies to the target network")
    double: bool = Field(description="choose the next action by the network that learns")
    epsilon_end: float = Field(ge=0, le=1, description="share of random actions in the end")
    epsilon_steps: int = Field(ge=1, description="updates of its linear fall from 1")


class TrainKnobs(Section):
    """The loop."""

    batch_size: int = Field(
        ge=1,
        le=1_000_000,
        description="steps of the lander an update; reinforce and actor_critic take a whole round",
    )
    steps: int = Field(ge=1, le=10_000_000, description="updates of the weights")
    learning_rate: float = Field(gt=0, le=1, description="largest rate")
    weight_decay: float = Field(ge=0, le=100, description="a step times learning rate")
    schedule: Literal["constant", "cosine", "step"] = Field(description="rate over the steps")
    warmup_steps: int = Field(ge=0, le=1_000_000, description="steps of the rate's linear rise")
    clip_norm: float = Field(ge=0, description="largest norm of the gradient; 0: any")
    validate_every: int = Field(ge=1, description="steps between validations")
    checkpoint_seconds: float = Field(ge=0, description="least time between resumable states")


class Recipe(Section):
    """Everything that a run of homework 12 depends on, apart from data, seed and hardware."""

    collect: CollectKnobs
    model: ModelKnobs
    method: MethodKnobs
    replay: ReplayKnobs
    train: TrainKnobs

    @property
    def horizon(self) -> int:
        """Steps of each environment a round; 0: one whole episode of each."""
        return 0 if self.method.name == "reinforce" else self.collect.horizon

    @property
    def round_steps(self) -> int:
        """Updates that learn from one round of playing."""
        if self.method.name != "ppo":
            return 1
        num_items = self.collect.num_envs * self.collect.horizon
        return self.method.epochs * max(num_items // self.train.batch_size, 1)

    @model_validator(mode="after")
    def _consistent(self) -> "Recipe":
        name, credit = self.method.name, self.method.credit
        if not self.model.hidden or not all(1 <= units <= 1024 for units in self.model.hidden):
            raise ValueError("model.hidden must name at least one layer, of 1 to 1024 units")
        if len(self.model.hidden) > 7:
            raise ValueError("model.hidden has more than 7 layers; the judge reads no more")
        critic = self.model.critic != "none"
        if critic != (name in ("actor_critic", "ppo")):
            needs = "has no critic" if critic else "needs a critic: 'shared' or 'separate'"
            raise ValueError(f"model.critic = {self.model.critic!r}, but {name} {needs}")
        if name in ("ppo", "dqn") and not self.collect.horizon:
            raise ValueError(f"collect.horizon = 0, but {name} takes rounds of at least 1 step")
        if name != "dqn" and (credit == "gae") != critic:
            needs = "'gae'" if critic else "'immediate' or 'return'"
            raise ValueError(f"method.credit = {credit!r}, but {name} takes {needs}")
        if name == "dqn" and self.train.batch_size > self.replay.begin:
            raise ValueError("train.batch_size is more than replay.begin, the first memory")
        if name == "dqn" and self.replay.begin > self.replay.capacity:
            raise ValueError("replay.begin is more than replay.capacity holds")
        return self
