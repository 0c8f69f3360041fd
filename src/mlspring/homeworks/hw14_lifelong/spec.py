"""Facts of homework 14 (source: HW14 slides, June 2022)."""

from pathlib import Path

from mlspring.core.spec import Limits, Metric, Points, Question, Spec

SPEC = Spec(
    id="hw14",
    folder=Path(__file__).parent,
    title="Life-long learning",
    title_zh="機器終身學習",
    topic="Life-long learning: one network, one task after another",
    summary="Five rotations of MNIST, learnt in turn -> the digit in an image of any of them.",
    metric=Metric(
        name="mean accuracy over the tasks seen",
        higher_is_better=True,
        unit="% of test images",
        digits=2,
    ),
    submission="none",  # the course collected a report and a quiz; nothing was ranked
    submission_name="",
    limits=Limits(max_bytes=0, max_rows=0),
    points=Points(public=0, private=0),
    questions=(
        Question(
            id="curves",
            text="The learning curve of the metric for every method.",
            figure="learning_curves",
        ),
        Question(
            id="metric",
            text="Describe the metric. What does it hide? (every task after every task)",
            figure="task_matrix",
        ),
        Question(
            id="importance",
            text="The importance of MAS: which pixels' weights are held fast, and by which method?",
            figure="importance_maps",
        ),
        Question(
            id="methods",
            text="Which methods keep the old tasks, in which of the three scenarios?",
            figure="methods",
        ),
    ),
    levels=(
        *("finetune", "ewc", "mas", "si", "rwalk", "scp", "lwf", "replay", "gem", "icarl", "dgr"),
        *("joint", "scenarios", "all"),
    ),
    default="all",
)
