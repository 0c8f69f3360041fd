"""Facts of homework 9 (source: HW09 slides, Apr 2022)."""

from pathlib import Path

from mlspring.core.spec import Limits, Metric, Points, Question, Spec

SPEC = Spec(
    id="hw09",
    folder=Path(__file__).parent,
    title="Explainable AI",
    title_zh="可解釋的人工智慧",
    topic="Explainable machine learning: what a network looks at",
    summary="A food classifier, a BERT and what they answer -> what rests on what, and is it true?",
    metric=Metric(
        name="accuracy of the network that is explained",
        higher_is_better=True,
        unit="share of images",
        digits=5,
    ),
    submission="none",  # the course collected the answers to a quiz; nothing was ranked
    submission_name="",
    limits=Limits(max_bytes=0, max_rows=0),
    points=Points(public=0, private=0),
    questions=(
        Question(id="lime", text="LIME: which superpixels speak for the label?", figure="lime"),
        Question(id="saliency", text="Saliency: does it lie on the dish?", figure="saliency"),
        Question(id="smoothgrad", text="What does SmoothGrad change?", figure="smoothgrad"),
        Question(id="filters", text="Filters: what excites each of them?", figure="filters"),
        Question(
            id="integrated",
            text="Integrated gradients: which pixels make up F(x) - F(x'), and is it all of it?",
            figure="integrated",
        ),
        Question(id="gradcam", text="Grad-CAM: which places speak for it?", figure="gradcam"),
        Question(
            id="truth",
            text="Which method finds the dish? And is that what a good explanation is?",
            figure="truth",
        ),
        Question(id="sanity", text="What is left of a map without learning?", figure="sanity"),
        Question(id="attention", text="Attention: what does each head look at?", figure="heads"),
        Question(id="embeddings", text="How do tokens move, layer by layer?", figure="embeddings"),
        Question(id="distances", text="Where do two senses of a word part?", figure="distances"),
    ),
    levels=(
        "lime",
        "saliency",
        "smoothgrad",
        "filters",
        "integrated",
        "gradcam",
        "attention",
        "embeddings",
        "distances",
        "all",
    ),
    default="all",
)
