"""From the trained agent to what it does in the test episodes, greedily."""

from mlspring.core.runs import Run
from mlspring.homeworks.hw12_lander import models
from mlspring.homeworks.hw12_lander.data import Data
from mlspring.homeworks.hw12_lander.models import Network
from mlspring.homeworks.hw12_lander.recipe import Recipe
from mlspring.homeworks.hw12_lander.submission import HandedIn
from mlspring.kit import checkpoint
from mlspring.kit.checkpoint import weights_path
from mlspring.worlds.lander import episodes


def predict(recipe: Recipe, data: Data, run: Run) -> HandedIn:
    """Return the policy and the list of its actions in each test episode."""
    policy = models.policy_of(trained(recipe, run))
    played = episodes.play_consecutive(policy.greedy, data.seed, data.episodes)
    return HandedIn(actions=tuple(episode.actions for episode in played), policy=policy)


def trained(recipe: Recipe, run: Run) -> Network:
    """Return the run's finished network."""
    model = models.build(recipe.method.name, recipe.model)
    checkpoint.load_weights(weights_path(run, 0), model)
    return model
