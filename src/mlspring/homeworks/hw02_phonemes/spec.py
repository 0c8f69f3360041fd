"""Facts of homework 2 (source: HW02 slides, Mar 2022)."""

from pathlib import Path

from mlspring.core.spec import Classes, Limits, Metric, Points, Question, Spec, TableFormat

SPEC = Spec(
    id="hw02",
    folder=Path(__file__).parent,
    title="Phoneme classification",
    title_zh="音素分類",
    topic="What to do if a network does not train: optimisation, batch norm, generalisation",
    summary="A frame of speech, 10 ms of it as 39 MFCCs -> one of 41 phonemes.",
    metric=Metric(name="accuracy", higher_is_better=True, unit="share of frames", digits=5),
    submission="table",
    table=TableFormat(header=("Id", "Class"), values=Classes(41), metric="accuracy"),
    submission_name="prediction.csv",
    limits=Limits(max_bytes=30_000_000, max_rows=1_500_000),
    points=Points(public=0.5, private=0.5),
    questions=(
        Question(
            id="q1",
            text="Two networks of about equal size, one narrow and deep, one wide and shallow: "
            "training and validation accuracy of both.",
            figure="q1_depth",
        ),
        Question(
            id="q2",
            text="Dropout with rates 0.25, 0.5 and 0.75: training and validation accuracy of each.",
            figure="q2_dropout",
        ),
        Question(
            id="curves",
            text="How did loss and accuracy develop on training and held-out frames?",
            figure="learning_curves",
        ),
        Question(
            id="confusion",
            text="Which phonemes are mistaken for which?",
            figure="confusion",
        ),
    ),
)
