"""The methods of homework 14 by name, in the order of the slides: what each does at which moment.

``Method`` says what the moments are; what a method leaves out is what plain fine-tuning does.
"""

from mlspring.homeworks.hw14_lifelong.methods import (
    distill,
    gem,
    generative,
    icarl,
    path,
    regularisers,
    replay,
)
from mlspring.homeworks.hw14_lifelong.methods.learner import Method
from mlspring.homeworks.hw14_lifelong.recipe import MethodName

METHODS: dict[MethodName, Method] = {
    "finetune": Method(title="fine-tuning"),
    "ewc": Method(
        title="EWC",
        new_state=regularisers.new_importance,
        after_backward=regularisers.add_penalty_gradient,
        on_task_end=regularisers.measure_ewc,
        is_regulariser=True,
    ),
    "mas": Method(
        title="MAS",
        new_state=regularisers.new_importance,
        after_backward=regularisers.add_penalty_gradient,
        on_task_end=regularisers.measure_mas,
        is_regulariser=True,
    ),
    "si": Method(
        title="SI",
        new_state=path.new_path,
        after_backward=path.record_before_step,
        after_step=path.integrate_path,
        on_task_end=path.measure_si,
        is_regulariser=True,
    ),
    "rwalk": Method(
        title="RWalk",
        new_state=path.new_walk,
        after_backward=path.average_fisher,
        after_step=path.score_pieces,
        on_task_end=path.measure_rwalk,
        is_regulariser=True,
    ),
    "scp": Method(
        title="SCP",
        new_state=regularisers.new_importance,
        after_backward=regularisers.add_penalty_gradient,
        on_task_end=regularisers.measure_scp,
        is_regulariser=True,
    ),
    "lwf": Method(
        title="LwF",
        new_state=distill.new_teacher,
        loss=distill.lwf_loss,
        on_task_end=distill.keep_teacher,
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
        new_state=icarl.new_exemplars,
        replay_batch=replay.replay_from_buffer,
        loss=icarl.icarl_loss,
        on_task_end=icarl.keep_exemplars,
        classifier=icarl.by_nearest_mean,
    ),
    "dgr": Method(
        title="DGR",
        new_state=generative.new_scholar,
        replay_batch=generative.replay_generated,
        after_step=generative.train_generator,
        on_task_end=generative.keep_scholar,
    ),
    "joint": Method(title="joint training", replay_batch=replay.replay_everything),
}
