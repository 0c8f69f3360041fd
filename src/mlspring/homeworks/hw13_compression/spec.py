"""Facts of homework 13 (source: HW13 slides, Jun 2022)."""

from pathlib import Path

from mlspring.core.spec import Limits, Metric, Points, Question, Spec

SPEC = Spec(
    id="hw13",
    folder=Path(__file__).parent,
    title="Network compression",
    title_zh="神經網路壓縮",
    topic="Network compression: pruning, distillation, quantisation, architecture",
    summary="A photo of food -> one of eleven categories, by at most 100,000 parameters.",
    metric=Metric(name="accuracy", higher_is_better=True, unit="share of images", digits=5),
    submission="archive",
    submission_name="submission.zip",
    limits=Limits(max_bytes=4_000_000, max_rows=20_000),
    points=Points(public=0.5, private=0.5),
    first=("medium",),  # trains the teacher
    questions=(
        Question(
            id="q1",
            text="The student layer by layer: parameters and multiply-adds.",
            figure="q1_parameters",
        ),
        Question(
            id="q2",
            text="Knowledge distillation: what does a higher temperature do to the soft labels?",
            figure="q2_temperature",
        ),
        Question(
            id="q3",
            text="Pruning: accuracy against the share of weights removed. Does it speed up "
            "inference?",
            figure="q3_pruning",
        ),
        Question(
            id="curves",
            text="How did loss and accuracy develop on training and validation images?",
            figure="learning_curves",
        ),
        Question(id="confusion", text="Which foods are mistaken for which?", figure="confusion"),
    ),
)
