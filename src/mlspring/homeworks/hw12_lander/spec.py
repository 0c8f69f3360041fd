"""Facts of homework 12 (source: HW12 slides, 2021 and 2022)."""

from pathlib import Path

from mlspring.core.spec import Limits, Metric, Points, Question, Spec

SPEC = Spec(
    id="hw12",
    folder=Path(__file__).parent,
    title="Lunar lander",
    title_zh="強化學習：登月小艇",
    topic="Reinforcement learning: policy gradient, actor-critic",
    summary="Eight numbers that tell where the lander is -> which engine fires now.",
    metric=Metric(
        name="total reward", higher_is_better=True, unit="reward an episode, mean", digits=2
    ),
    submission="actions",
    submission_name="submission.safetensors",
    limits=Limits(max_bytes=4_000_000, max_rows=100),
    points=Points(public=0.5, private=0.5),
    questions=(
        Question(
            id="curves",
            text="How did the total reward develop, in training and on held-out episodes?",
            figure="learning_curves",
        ),
        Question(
            id="variance",
            text="What replaces the return? The spread of each advantage estimator on the same "
            "episodes.",
            figure="advantage_spread",
        ),
        Question(
            id="actions",
            text="Which engines does the policy fire, in each of the judge's episodes?",
            figure="action_histogram",
        ),
        Question(
            id="landing",
            text="What does a landing look like: path, speed and angle?",
            figure="landing",
        ),
    ),
)
