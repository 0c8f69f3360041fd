"""Facts of homework 10 (source: HW10 slides, May 2022)."""

from pathlib import Path

from mlspring.core.spec import Limits, Metric, Points, Question, Spec

SPEC = Spec(
    id="hw10",
    folder=Path(__file__).parent,
    title="Adversarial attack",
    title_zh="對抗式攻擊",
    topic="Adversarial attack and defence",
    summary="200 pictures, each pixel changed by at most 8 -> a classifier that nobody shows errs.",
    metric=Metric(name="accuracy", higher_is_better=False, unit="share of pictures", digits=2),
    submission="images",
    submission_name="submission.tgz",
    limits=Limits(max_bytes=2_000_000, max_rows=200),
    points=Points(public=0.5, private=0.5),
    questions=(
        Question(
            id="q1",
            text="How were the transferable perturbations made? Accuracy of each proxy and of the "
            "networks that were none.",
            figure="q1_networks",
        ),
        Question(
            id="q2",
            text="FGSM on one picture: is its class wrong, and which is it? And after JPEG "
            "compression? Why does that help?",
            figure="q2_jpeg",
        ),
        Question(
            id="pictures",
            text="What do benign pictures, noise and attacked pictures look like?",
            figure="pictures",
        ),
        Question(
            id="transfer",
            text="From which network to which does an attack transfer?",
            figure="transfer",
        ),
        Question(
            id="curves",
            text="How does accuracy fall with the iterations and with epsilon?",
            figure="curves",
        ),
    ),
)
