"""Facts of homework 8 (source: HW08 slides and notebook, Apr 2022)."""

from pathlib import Path

from mlspring.core.spec import Limits, Metric, Points, Question, Spec

SPEC = Spec(
    id="hw08",
    folder=Path(__file__).parent,
    title="Anomaly detection",
    title_zh="異常偵測",
    topic="Auto-encoder: anomaly detection",
    summary="A picture -> how little it is like the normal faces of the training.",
    metric=Metric(name="ROC AUC", higher_is_better=True, unit="area under the curve", digits=5),
    submission="scores-per-image",
    submission_name="prediction.csv",
    limits=Limits(max_bytes=5_000_000, max_rows=200_000),
    points=Points(public=0.5, private=0.5),
    questions=(
        Question(
            id="q1",
            text="The VAE: one advantage over a plain autoencoder, and one problem. "
            "Reconstructions and samples of both, side by side.",
            figure="q1_vae",
        ),
        Question(
            id="q2",
            text="Train a fully connected autoencoder and change at least two elements of the "
            "code: original, reconstruction, what each change does.",
            figure="q2_latent",
        ),
        Question(
            id="roc",
            text="How many anomalies are found at which share of false alarms, and how sure is "
            "the area?",
            figure="roc",
        ),
        Question(
            id="kinds",
            text="Which kinds of anomalies get high scores, and which hide among the normal faces?",
            figure="scores",
        ),
        Question(
            id="misses",
            text="Which normal faces look most anomalous, which anomalies most normal, and where?",
            figure="misses",
        ),
    ),
)
