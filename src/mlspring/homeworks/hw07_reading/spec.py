"""Facts of homework 7 (source: HW07 slides, Apr 2022)."""

from pathlib import Path

from mlspring.core.spec import Limits, Metric, Points, Question, Spec, TableFormat, Texts

LONGEST = 1000  # characters of an answer that a submission may hold

SPEC = Spec(
    id="hw07",
    folder=Path(__file__).parent,
    title="Reading comprehension",
    title_zh="閱讀理解",
    topic="Self-supervised learning: BERT",
    summary="A paragraph in Chinese and a question -> the answer, a span of the paragraph.",
    metric=Metric(name="exact match", higher_is_better=True, unit="share of questions", digits=5),
    submission="table",
    table=TableFormat(
        header=("ID", "Answer"), values=Texts(LONGEST, "an answer"), metric="accuracy"
    ),
    submission_name="result.csv",
    limits=Limits(max_bytes=5_000_000, max_rows=20_000),
    first=("simple", "strong"),  # pre-train the two encoders
    points=Points(public=0.5, private=0.5),
    questions=(
        Question(
            id="q1",
            text="Which rules, other than the sample's, turn scores of starts and ends into the "
            "final span? Exact match for each rule added, and how many answers it mends.",
            figure="q1_rules",
        ),
        Question(
            id="q2",
            text="Try another pre-trained encoder: how does it differ, and how well does it do?",
            figure="q2_encoders",
        ),
        Question(
            id="curves",
            text="How did the loss develop while the encoder was pre-trained and fine-tuned?",
            figure="learning_curves",
        ),
        Question(
            id="position",
            text="Are answers found alike wherever they stand, and in long paragraphs as in short?",
            figure="position",
        ),
        Question(
            id="scores",
            text="Where in a paragraph does the network see the start and the end?",
            figure="span_scores",
        ),
    ),
)
