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
        Question(
            id="lime",
            text="LIME: which superpixels speak for the label, which against it, and how much of "
            "the network's answer does the line explain?",
            figure="lime",
        ),
        Question(
            id="saliency",
            text="Saliency: do the pixels with the largest gradient lie on the dish?",
            figure="saliency",
        ),
        Question(
            id="smoothgrad",
            text="SmoothGrad: what does the mean over noisy copies change?",
            figure="smoothgrad",
        ),
        Question(
            id="filters",
            text="Filters: which parts of a picture excite a filter, and which picture excites it "
            "most?",
            figure="filters",
        ),
        Question(
            id="integrated",
            text="Integrated gradients: which pixels make up F(x) - F(x'), and is it all of it?",
            figure="integrated",
        ),
        Question(
            id="gradcam",
            text="Grad-CAM (not in the course): which places of the last maps speak for the label?",
            figure="gradcam",
        ),
        Question(
            id="truth",
            text="Which method finds the dish? And is that what a good explanation is?",
            figure="truth",
        ),
        Question(
            id="sanity",
            text="Does a map change when what the network has learnt is taken away?",
            figure="sanity",
        ),
        Question(
            id="attention",
            text="Attention: what does each head look at, and where would an untrained one?",
            figure="heads",
        ),
        Question(
            id="embeddings",
            text="Embeddings: how do the tokens of question and text move through the layers?",
            figure="embeddings",
        ),
        Question(
            id="distances",
            text="Distances: in which layer do two senses of one word part?",
            figure="distances",
        ),
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
