"""The knobs of homework 12; every number of a level is one of these."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from mlspring.core.recipe import Section
from mlspring.core.recipe_sections import (
    CheckpointSeconds,
    ClipNorm,
    LearningRate,
    Schedule,
    Steps,
    ValidateEvery,
)


class CollectKnobs(Section):
    """How the environments are played while learning."""

    num_envs: int = Field(ge=1, le=4096, description="environments side by side, all processes")
    horizon: int = Field(
        ge=0, le=100_000, description="steps of each a rollout; 0, reinforce always: whole episodes"
    )
    held_out: int = Field(
        ge=1, le=10_000, description="episodes that choose the best weights; never the judge's"
    )


class ModelKnobs(Section):
    """How large the network is; the method says which one."""

    hidden: list[Annotated[int, Field(ge=1, le=1024)]] = Field(
        min_length=1, max_length=7, description="units of each hidden layer"
    )
    activation: Literal["tanh", "relu"] = Field(description="between the layers")


class MethodKnobs(Section):
    """Which method learns, and its numbers."""

    name: Literal["reinforce", "a2c", "ppo", "dqn"] = Field(description="the file in methods/")
    gamma: float = Field(
        ge=0, le=1, description="worth of a reward one step later; 0: an action's own reward alone"
    )
    gae_lambda: float = Field(
        ge=0, le=1, description="a2c, ppo: 0: one step and the critic; 1: all rewards"
    )
    reward_scale: float = Field(gt=0, le=1, description="factor of rewards while learning")
    entropy_weight: float = Field(
        ge=0, le=1, description="weight of the policy's entropy, which keeps it exploring"
    )
    value_weight: float = Field(ge=0, le=10, description="a2c, ppo: weight of the critic's loss")
    epochs: int = Field(ge=1, le=100, description="ppo: passes over each rollout")
    clip_ratio: float = Field(
        gt=0, le=1000, description="ppo: how far pi / pi_old may leave 1 and still gain"
    )


class ReplayKnobs(Section):
    """The replay buffer of dqn; 0 where the method has none."""

    capacity: int = Field(ge=0, le=10_000_000, description="dqn: transitions kept")
    learning_starts: int = Field(ge=0, description="dqn: transitions before the first update")


class TrainKnobs(Section):
    """The loop."""

    batch_size: int = Field(
        ge=1, le=1_000_000, description="ppo, dqn: steps an update; others take a whole rollout"
    )
    steps: Steps  # each after a rollout; ppo: rollouts, each with several updates
    learning_rate: LearningRate
    schedule: Schedule
    clip_norm: ClipNorm
    validate_every: ValidateEvery
    checkpoint_seconds: CheckpointSeconds


class Recipe(Section):
    """Everything that a run of homework 12 depends on, apart from data, seed and hardware."""

    collect: CollectKnobs
    model: ModelKnobs
    method: MethodKnobs
    replay: ReplayKnobs
    train: TrainKnobs

    @model_validator(mode="after")
    def _consistent(self) -> "Recipe":
        name, replay = self.method.name, self.replay
        if name in ("ppo", "dqn") and not self.collect.horizon:
            raise ValueError(f"collect.horizon = 0, but {name} takes rollouts of at least 1 step")
        if name == "dqn" and self.train.batch_size > replay.learning_starts:
            raise ValueError("train.batch_size is more than replay.learning_starts")
        if name == "dqn" and replay.learning_starts > replay.capacity:
            raise ValueError("replay.learning_starts is more than replay.capacity holds")
        return self
