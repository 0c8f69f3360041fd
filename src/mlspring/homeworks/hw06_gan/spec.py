"""Facts of homework 6 (source: HW06 slides, April 2022)."""

from pathlib import Path

from mlspring.core.spec import Limits, Metric, Points, Question, Spec

SPEC = Spec(
    id="hw06",
    folder=Path(__file__).parent,
    title="Generative adversarial network",
    title_zh="生成對抗網路",
    topic="Generation",
    summary="Random numbers -> 1000 faces of 64 x 64 pixels, like those of a collection.",
    metric=Metric(
        name="Frechet distance",
        higher_is_better=False,
        unit="of features whose variance on real faces is 1",
        digits=2,
    ),
    submission="images",
    submission_name="submission.tgz",
    limits=Limits(max_bytes=2_000_000, max_rows=1000),
    points=Points(public=1.0, private=0.0),
    finals=1,
    questions=(
        Question(
            id="q1",
            text="At least two differences between WGAN and GAN. Which loss follows the quality?",
            figure="q1_losses",
        ),
        Question(
            id="q2",
            text="Gradient norm by discriminator layer, on a log scale: weight clipping against "
            "gradient penalty.",
            figure="q2_gradients",
        ),
        Question(
            id="samples",
            text="What does the generator draw, and what are real faces like?",
            figure="samples",
        ),
        Question(
            id="film",
            text="How do pictures of the same latents change while it learns?",
            figure="film",
        ),
        Question(
            id="interpolation",
            text="What lies between two latents?",
            figure="interpolation",
        ),
        Question(
            id="neighbours",
            text="Which training faces are nearest to generated ones: are any copied?",
            figure="neighbours",
        ),
    ),
)
