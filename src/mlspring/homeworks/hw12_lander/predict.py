"""From the trained agent to what it does in the test episodes, greedily."""

from mlspring.core.runs import Run
from mlspring.homeworks.hw12_lander import environment, models
from mlspring.homeworks.hw12_lander.data import Data
from mlspring.homeworks.hw12_lander.policy import Policy
from mlspring.homeworks.hw12_lander.recipe import Recipe
from mlspring.homeworks.hw12_lander.submission import HandedIn
from mlspring.kit import checkpoint
from mlspring.kit.checkpoint import weights_path


def predict(recipe: Recipe, data: Data, run: Run) -> HandedIn:
    """Return the policy and the list of its actions in each test episode."""
    policy = trained_policy(recipe, run)
    episodes = environment.play_consecutive(
        policy.greedy, data.seed, data.num_episodes, data.max_steps
    )
    return HandedIn(actions=tuple(episode.actions for episode in episodes), policy=policy)


def trained_policy(recipe: Recipe, run: Run) -> Policy:
    """Return the run's finished policy."""
    model = models.build(recipe.model)
    checkpoint.load_weights(weights_path(run, 0), model)
    return model.policy()
