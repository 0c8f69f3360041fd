"""The methods of homework 14 by name, in the order of the slides: what each does at which moment.

``Method`` says what the moments are; what a method leaves out is what plain fine-tuning does.
"""

from functools import partial

from mlspring.homeworks.hw14_lifelong.methods import distill, gem, generative, path, replay
from mlspring.homeworks.hw14_lifelong.methods import regularisers as importance
from mlspring.homeworks.hw14_lifelong.methods.learner import Method
from mlspring.homeworks.hw14_lifelong.recipe import MethodName

# L' = L + lambda * sum b (theta - theta*)^2: the methods differ in how they measure b.
IMPORTANCE = ("importance",)
PATH = (*IMPORTANCE, "before", "gradient", "integral")
Regulariser = partial(
    Method,
    zeros=IMPORTANCE,
    copies=("anchor",),
    after_backward=importance.add_penalty_gradient,
    is_regulariser=True,
)

METHODS: dict[MethodName, Method] = {
    "finetune": Method(title="fine-tuning"),
    "ewc": Regulariser(title="EWC", on_task_end=importance.measure_ewc),
    "mas": Regulariser(title="MAS", on_task_end=importance.measure_mas),
    "si": Regulariser(
        title="SI",
        zeros=PATH,
        after_backward=path.record_before_step,
        after_step=path.integrate_path,
        on_task_end=path.measure_si,
    ),
    "rwalk": Regulariser(
        title="RWalk",
        zeros=(*PATH, "fisher", "task_score", "score"),
        copies=("anchor", "piece_start"),
        after_backward=path.average_fisher,
        after_step=path.score_pieces,
        on_task_end=path.measure_rwalk,
    ),
    "scp": Regulariser(title="SCP", on_task_end=importance.measure_scp),
    "lwf": Method(
        title="LwF", zeros=("teacher",), loss=distill.lwf_loss, on_task_end=distill.keep_teacher
    ),
    "replay": Method(
        title="replay",
        new_state=replay.new_buffer,
        replay_batch=replay.replay_from_buffer,
        on_task_end=replay.keep_random_sample,
    ),
    "gem": Method(
        title="GEM",
        new_state=replay.new_buffer,
        after_backward=gem.project_gradient,
        on_task_end=replay.keep_random_sample,
    ),
    "icarl": Method(
        title="iCaRL",
        zeros=("teacher",),
        new_state=replay.new_buffer,
        replay_batch=replay.replay_from_buffer,
        loss=distill.icarl_loss,
        on_task_end=distill.keep_exemplars,
        classifier=distill.by_nearest_mean,
    ),
    "dgr": Method(
        title="DGR",
        zeros=("teacher",),
        new_state=generative.new_generator,
        replay_batch=generative.replay_generated,
        after_step=generative.train_generator,
        on_task_end=generative.keep_scholar,
    ),
    "joint": Method(title="joint training", replay_batch=replay.replay_everything),
}
