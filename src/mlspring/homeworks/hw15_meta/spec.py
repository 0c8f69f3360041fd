"""What homework 15 asks for (source: HW15 slides, June 2022)."""

from pathlib import Path

from mlspring.core.spec import Classes, Limits, Metric, Points, Question, Spec, TableFormat

SPEC = Spec(
    id="hw15",
    folder=Path(__file__).parent,
    title="Meta learning",
    title_zh="元學習",
    topic="Meta learning: learning to learn, few-shot classification",
    summary="One drawing of each of five unseen characters -> which of them another drawing shows.",
    metric=Metric(name="accuracy", higher_is_better=True, unit="share of query images", digits=5),
    submission="table",
    table=TableFormat(header=("id", "class"), values=Classes(5), metric="accuracy"),
    submission_name="output.csv",
    limits=Limits(max_bytes=1_000_000, max_rows=20_000),
    points=Points(public=0.5, private=0.5),
    questions=(
        Question(
            id="q1",
            text="Number of tasks: accuracy against how many characters the training tasks are "
            "made of; three experiments or more, and one sentence.",
            figure="q1_characters",
        ),
        Question(
            id="q2",
            text="Inner update steps at inference: three settings or more, and one sentence.",
            figure="q2_inner_steps",
        ),
        Question(
            id="curves",
            text="How did loss and accuracy develop on training tasks and on those of held-out "
            "alphabets?",
            figure="learning_curves",
        ),
        Question(
            id="tasks",
            text="What does a task look like, and which query images are mistaken?",
            figure="tasks",
        ),
    ),
)
