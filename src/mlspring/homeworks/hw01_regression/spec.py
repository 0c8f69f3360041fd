"""Facts of homework 1 (source: HW01 slides, Feb 2022)."""

from pathlib import Path

from mlspring.core.spec import Limits, Metric, Numbers, Points, Question, Spec, TableFormat

SPEC = Spec(
    id="hw01",
    folder=Path(__file__).parent,
    title="COVID-19 cases prediction",
    title_zh="新冠肺炎確診比例預測",
    topic="Introduction to deep learning: regression",
    summary="Five days of a survey in one state -> percentage of positive tests on the fifth day.",
    metric=Metric(
        name="mean squared error",
        higher_is_better=False,
        unit="squared percentage points",
        digits=5,
    ),
    submission="table",
    table=TableFormat(
        header=("id", "tested_positive"),
        values=Numbers(1e6, "a percentage"),  # its square still is a number that a board can show
        metric="mean squared error",
    ),
    submission_name="pred.csv",
    limits=Limits(max_bytes=1_000_000, max_rows=10_000),
    points=Points(public=1.0, private=1.0),
    questions=(
        Question(
            id="curves",
            text="How did training and validation error develop?",
            figure="learning_curves",
        ),
        Question(
            id="scatter",
            text="Where are the predictions wrong? Predicted against true values on unseen days.",
            figure="predicted_vs_true",
        ),
        Question(
            id="features",
            text="Which columns carry the answer? The score of each column on training days.",
            figure="feature_scores",
        ),
        Question(
            id="split",
            text="How much does a random validation split flatter the model?",
            figure="split_comparison",
        ),
    ),
)
