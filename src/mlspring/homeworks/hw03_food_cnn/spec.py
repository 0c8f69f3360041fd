"""Facts of homework 3 (source: HW03 slides, Mar 2022)."""

from pathlib import Path

from mlspring.core.spec import Classes, Limits, Metric, Points, Question, Spec, TableFormat

SPEC = Spec(
    id="hw03",
    folder=Path(__file__).parent,
    title="Food classification",
    title_zh="食物圖片分類",
    topic="Image as input: convolutional neural networks",
    summary="A photo of food -> one of eleven categories.",
    metric=Metric(name="accuracy", higher_is_better=True, unit="share of images", digits=5),
    submission="table",
    table=TableFormat(header=("Id", "Category"), values=Classes(11), metric="accuracy"),
    submission_name="submission.csv",
    limits=Limits(max_bytes=1_000_000, max_rows=20_000),
    points=Points(public=0.5, private=0.5),
    questions=(
        Question(
            id="q1",
            text="Augmentation: one picture through the training transform, "
            "at least five different results.",
            figure="q1_augmentation",
        ),
        Question(
            id="q2",
            text="Residual connections: wire Residual_Network as in the figure, by changing the "
            "forward pass only.",
            figure="q2_residual_wiring",
        ),
        Question(
            id="curves",
            text="How did loss and accuracy develop on training and validation images?",
            figure="learning_curves",
        ),
        Question(
            id="confusion",
            text="Which foods are mistaken for which?",
            figure="confusion",
        ),
    ),
)
