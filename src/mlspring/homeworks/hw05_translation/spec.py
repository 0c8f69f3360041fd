"""Facts of homework 5 (source: HW05 slides and notebook, Mar 2022)."""

from pathlib import Path

from mlspring.core.spec import Limits, Metric, Points, Question, Spec

SPEC = Spec(
    id="hw05",
    folder=Path(__file__).parent,
    title="Machine translation",
    title_zh="機器翻譯",
    topic="Sequence to sequence: Transformer",
    summary="An English sentence -> the same in Traditional Chinese.",
    metric=Metric(name="BLEU", higher_is_better=True, unit="BLEU, 0 to 100", digits=2),
    submission="lines",
    submission_name="prediction.txt",
    limits=Limits(max_bytes=700_000, max_rows=20_000),
    points=Points(public=0.5, private=0.5),
    first=("boss",),  # trains the backward model and translates the monolingual text
    questions=(
        Question(
            id="q1",
            text="How alike are the positional encodings of two places of the decoder (cosine "
            "similarity)?",
            figure="q1_positions",
        ),
        Question(
            id="q2",
            text="Where does gradient clipping act? The norm of the gradient at every step.",
            figure="q2_gradient_norm",
        ),
        Question(
            id="alignment",
            text="Which English words does each Chinese one look at?",
            figure="alignment",
        ),
        Question(
            id="length",
            text="How does the quality of a translation depend on the length of the sentence?",
            figure="length",
        ),
        Question(
            id="curves",
            text="How did loss and BLEU develop on sentences to learn from and on held-out ones?",
            figure="learning_curves",
        ),
    ),
)
