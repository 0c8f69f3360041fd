"""The knobs of homework 13; every number of a level is one of these."""

import itertools
from typing import Literal

from pydantic import Field, model_validator

from mlspring.core.recipe import Section
from mlspring.homeworks.hw13_compression.architecture import MAX_PARAMETERS, Architecture


class DataKnobs(Section):
    """Which pictures, at which size."""

    image_size: int = Field(ge=32, le=512, description="side of the square input, pixels")
    resize: int | None = Field(
        default=None,
        ge=32,
        le=1024,
        description="short side of a picture before the input is cut from its middle, pixels; "
        "left out: the whole picture, squeezed into the square",
    )


class StudentKnobs(Section):
    """The network that is handed in, at most 100,000 parameters."""

    name: Literal["plain", "separable", "inverted", "residual"] = Field(
        description="plain: the sample's layers"
    )
    channels: list[int] = Field(description="channels of each group, see architecture.py")
    start: Literal["fresh", "teacher"] = Field(
        description="first weights: drawn, or the teacher's with its weakest channels removed"
    )


class DistillKnobs(Section):
    """What the student learns from the teacher; all zero: nothing, and no teacher is trained."""

    weight: float = Field(
        ge=0, le=1, description="alpha: share of the soft-label loss, the rest is cross-entropy"
    )
    temperature: float = Field(gt=0, le=100, description="T by which logits are divided")
    relations: float = Field(ge=0, description="weight of the distances between pictures (RKD)")
    attention: float = Field(ge=0, description="weight of the attention maps (AT)")
    assistant: int | None = Field(
        default=None,
        ge=2,
        le=256,
        description="width of an assistant that learns from the teacher and teaches the student "
        "(TAKD); left out: none",
    )

    @property
    def learns(self) -> bool:
        """Whether anything is learnt."""
        return bool(self.weight or self.relations or self.attention)


# Same as hw03: recipe.AugmentKnobs
class AugmentKnobs(Section):
    """How a training picture is changed; all zero: not at all."""

    flip: float = Field(ge=0, le=1, description="probability of a left-right mirror")
    rotate: float = Field(ge=0, le=180, description="largest angle either way, degrees")
    zoom_min: float = Field(gt=0, le=1, description="smallest side of the random crop, 1 = whole")
    shift: float = Field(ge=0, le=1, description="largest shift, share of half a side")
    stretch: float = Field(ge=0, le=1, description="largest change of log(width / height)")
    brightness: float = Field(ge=0, lt=1, description="factor 1 +- this")
    contrast: float = Field(ge=0, lt=1, description="factor 1 +- this")
    saturation: float = Field(ge=0, lt=1, description="factor 1 +- this")
    tint: float = Field(ge=0, lt=1, description="factor of each colour channel 1 +- this")
    erase: float = Field(ge=0, le=1, description="probability of one erased box")
    mixup: float = Field(ge=0, le=5, description="alpha of Beta(alpha, alpha); 0: off")
    cutmix: float = Field(ge=0, le=1, description="probability that a batch is cut-mixed instead")


# Same as hw03: recipe.TrainKnobs
class TrainKnobs(Section):
    """The loop."""

    batch_size: int = Field(ge=2, le=4096, description="pictures a step, over all processes")
    steps: int = Field(ge=1, le=10_000_000, description="updates of the weights")
    learning_rate: float = Field(gt=0, le=1, description="largest rate")
    weight_decay: float = Field(ge=0, le=100, description="a step times learning rate")
    schedule: Literal["constant", "cosine", "step"] = Field(description="rate over the steps")
    warmup_steps: int = Field(ge=0, le=1_000_000, description="steps of the rate's linear rise")
    label_smoothing: float = Field(ge=0, lt=1, description="target mass spread over all classes")
    clip_norm: float = Field(ge=0, description="largest norm of the gradient; 0: any")
    ema_decay: float = Field(ge=0, lt=1, description="moving average of the weights; 0: off")
    validate_every: int = Field(ge=1, description="steps between validations")
    checkpoint_seconds: float = Field(ge=0, description="least time between resumable states")


# Same as hw03: recipe.PredictKnobs
class PredictKnobs(Section):
    """Test-time augmentation: a * mean over views + (1 - a) * the plain picture."""

    views: int = Field(ge=0, le=64, description="random views of a test picture")
    views_weight: float = Field(ge=0, le=1, description="a, the weight of their mean")


class CompressKnobs(Section):
    """What is done to the finished student, to be measured beside it."""

    keep: list[float] = Field(description="shares of channels that its pruned copies keep, falling")
    finetune_steps: int = Field(ge=1, le=10**6, description="updates of each pruned copy")
    finetune_rate: float = Field(gt=0, le=1, description="largest learning rate of these")
    pictures: int = Field(ge=1, description="held-out pictures behind the student's pruning curve")
    repeats: int = Field(ge=1, le=1000, description="timings of a network; the median counts")

    @property
    def names(self) -> list[str]:
        """What the pruned copies and their files are called: ``pruned-75`` keeps 75 percent."""
        return [f"pruned-{100 * share:.0f}" for share in self.keep]


class TeacherKnobs(Section):
    """The network to learn from; trained once for all runs, with seed and numbers of its own."""

    source: Literal["trained", "given"] = Field(
        description="trained: ours, made at first use; given: the course's checkpoint"
    )
    width: int = Field(ge=2, le=256, description="channels of the first stage of ours")
    seed: int = Field(ge=0, description="of its weights and batches")


class Recipe(Section):
    """Everything that a run of homework 13 depends on, apart from data, seed and hardware."""

    data: DataKnobs
    student: StudentKnobs
    distill: DistillKnobs
    augment: AugmentKnobs
    train: TrainKnobs
    predict: PredictKnobs
    compress: CompressKnobs
    teacher: TeacherKnobs
    teacher_augment: AugmentKnobs
    teacher_train: TrainKnobs

    @property
    def architecture(self) -> Architecture:
        """The student as a description."""
        return Architecture(name=self.student.name, channels=tuple(self.student.channels))

    @property
    def needs_teacher(self) -> bool:
        """Whether anything is learnt or taken from a teacher."""
        return self.distill.learns or self.student.start == "teacher"

    @property
    def teachers(self) -> tuple["Recipe", ...]:
        """The recipes of the teacher and, where there is one, of its assistant, in this order."""
        width = self.distill.assistant
        if width is None:
            return (self,)
        assistant = self.teacher.model_copy(update={"source": "trained", "width": width})
        return self, self.model_copy(update={"teacher": assistant})

    @model_validator(mode="after")
    def _consistent(self) -> "Recipe":
        resize = self.data.resize
        if resize is not None and resize < self.data.image_size:
            raise ValueError(f"data.resize = {resize} is less than data.image_size")
        num_parameters = self.architecture.num_parameters
        if num_parameters > MAX_PARAMETERS:
            raise ValueError(
                f"student.channels make {num_parameters:,} parameters, "
                f"at most {MAX_PARAMETERS:,} are allowed"
            )
        if self.student.start == "teacher" and self.student.name != "residual":
            raise ValueError("student.start = 'teacher' needs student.name = 'residual'")
        if self.student.start == "teacher" and self.teacher.source != "trained":
            raise ValueError("student.start = 'teacher' needs teacher.source = 'trained'")
        if self.distill.attention and (
            self.teacher.source == "given" or self.student.name == "plain"
        ):
            raise ValueError(
                "distill.attention needs maps of equal sides, which only our own teacher and the "
                "students other than plain have"
            )
        if self.distill.assistant is not None and not self.distill.learns:
            raise ValueError("distill.assistant needs something to teach, e.g. distill.weight")
        if wrong := [share for share in self.compress.keep if not 0 < share < 1]:
            raise ValueError(f"compress.keep holds {wrong[0]}, expected shares between 0 and 1")
        for share, following in itertools.pairwise(self.compress.keep):
            if following >= share:
                raise ValueError(f"compress.keep has {following} after {share}, must be falling")
        names = self.compress.names
        for number, (name, following) in enumerate(itertools.pairwise(names)):
            if name == following:
                one, other = self.compress.keep[number : number + 2]
                raise ValueError(
                    f"compress.keep has {one} and {other}, whose copies would both be called {name}"
                )
        return self
