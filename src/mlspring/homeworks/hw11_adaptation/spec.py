"""Facts of homework 11 (source: HW11 slides, May 2022)."""

from pathlib import Path

from mlspring.core.spec import Classes, Limits, Metric, Points, Question, Spec, TableFormat

SPEC = Spec(
    id="hw11",
    folder=Path(__file__).parent,
    title="Domain adaptation",
    title_zh="領域自適應",
    topic="Domain adaptation: labels in one domain, predictions in another",
    summary="Labelled colour photos and unlabelled drawings -> the class of every drawing.",
    metric=Metric(name="accuracy", higher_is_better=True, unit="share of drawings", digits=5),
    submission="table",
    table=TableFormat(header=("id", "label"), values=Classes(None), metric="accuracy"),
    submission_name="submission.csv",
    limits=Limits(max_bytes=5_000_000, max_rows=200_000),
    points=Points(public=0.5, private=0.5),
    questions=(
        Question(
            id="q1",
            text="Distribution of features across classes, on photos, at the early, middle and "
            "final stage of training: is it a good extractor for classification?",
            figure="q1_classes",
        ),
        Question(
            id="q2",
            text="Distribution of features across domains at the same three stages: is it a good "
            "extractor for domain adaptation?",
            figure="q2_domains",
        ),
        Question(
            id="monitors",
            text="Which quantities that need no label of a drawing tell how training goes?",
            figure="monitors",
        ),
        Question(
            id="curves",
            text="How did the loss and the accuracy on photos develop?",
            figure="learning_curves",
        ),
    ),
)
