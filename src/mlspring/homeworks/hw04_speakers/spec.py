"""Facts of homework 4 (source: HW04 slides, Mar 2022)."""

from pathlib import Path

from mlspring.core.spec import Limits, Metric, Names, Points, Question, Spec, TableFormat

SPEC = Spec(
    id="hw04",
    folder=Path(__file__).parent,
    title="Speaker identification",
    title_zh="語者辨識",
    topic="Sequence as input: self-attention",
    summary="The mel spectrogram of an utterance -> which of 320 (600) known speakers is talking.",
    metric=Metric(name="accuracy", higher_is_better=True, unit="share of utterances", digits=5),
    submission="table",
    table=TableFormat(
        header=("Id", "Category"), values=Names("a speaker, e.g. id00464"), metric="accuracy"
    ),
    submission_name="output.csv",
    limits=Limits(max_bytes=2_000_000, max_rows=20_000),
    points=Points(public=0.5, private=0.5),
    questions=(
        Question(
            id="q1",
            text="Describe a variant of the Transformer, e.g. the Conformer: its blocks, and how "
            "they differ from the original's.",
            figure="q1_blocks",
        ),
        Question(
            id="q2",
            text="Why do convolutions help a Transformer? Accuracy with and without them.",
            figure="q2_convolution",
        ),
        Question(
            id="attention",
            text="What does the network attend to in an utterance?",
            figure="attention",
        ),
        Question(
            id="embeddings", text="Do the embeddings of ten speakers part?", figure="embeddings"
        ),
        Question(
            id="curves",
            text="How did loss and accuracy develop on segments learnt and on utterances held out?",
            figure="learning_curves",
        ),
    ),
)
