"""Learning rates and Adam's numbers that change while a run trains."""

import keras
from keras import ops

from tfanime.core.schedules import Schedule


@keras.saving.register_keras_serializable("tfanime")
class DelayedDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Constant until `start`, then multiplied by `decay_rate` every `decay_steps` steps.

    Args:
        initial: the rate before `start`.
        start: step at which the decay begins.
        decay_steps: steps over which the rate falls by `decay_rate`, smoothly.
        decay_rate: between 0 and 1.
        end: below which it does not fall.
    """

    def __init__(
        self, initial: float, start: int, decay_steps: int, decay_rate: float, end: float = 0.0
    ):
        if not 0 < decay_rate <= 1:
            raise ValueError(f"decay_rate is between 0 and 1. Received: {decay_rate}.")
        self.initial, self.start = initial, start
        self.decay_steps, self.decay_rate, self.end = decay_steps, decay_rate, end

    def __call__(self, step):
        beyond = ops.maximum(ops.cast(step, "float32") - self.start, 0.0)
        rate = self.initial * ops.power(self.decay_rate, beyond / self.decay_steps)
        return ops.maximum(rate, self.end)

    def get_config(self):
        return {
            "initial": self.initial,
            "start": self.start,
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
            "end": self.end,
        }


@keras.saving.register_keras_serializable("tfanime")
class ScheduledRate(keras.optimizers.schedules.LearningRateSchedule):
    """A `Schedule` by images as a learning rate by steps.

    Args:
        schedule: of the rate, or the mapping that describes it.
        images: real images a step.
    """

    def __init__(self, schedule: Schedule | dict, images: int):
        self.schedule = Schedule(**schedule) if isinstance(schedule, dict) else schedule
        self.images = images

    def __call__(self, step):
        return self.schedule(ops.cast(step, "float32") * self.images)

    def get_config(self):
        return {"schedule": self.schedule.to_json(), "images": self.images}


@keras.saving.register_keras_serializable("tfanime")
class ScheduledAdam(keras.optimizers.Adam):
    """Adam whose beta_2 follows a `Schedule` (R3GAN, Huang et al. 2024).

    Args:
        learning_rate, beta_1: as for `keras.optimizers.Adam`.
        schedule: of beta_2, or the mapping that describes it.
        images: real images a step.
    """

    def __init__(
        self, learning_rate, beta_1: float, schedule: Schedule | dict, images: int, **kwargs
    ):
        super().__init__(learning_rate, beta_1=beta_1, **kwargs)
        self.schedule = Schedule(**schedule) if isinstance(schedule, dict) else schedule
        self.images = images

    @property
    def beta_2(self):
        return self.schedule(ops.cast(self.iterations, "float32") * self.images)

    @beta_2.setter
    def beta_2(self, value):
        """Keras's constructor sets one, which the schedule replaces."""

    def get_config(self):
        config = super().get_config()
        for name in ("beta_2", "epsilon", "amsgrad"):
            config.pop(name, None)
        return {**config, "schedule": self.schedule.to_json(), "images": self.images}
