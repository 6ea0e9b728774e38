"""Learning-rate schedules."""

import keras
from keras import ops


@keras.saving.register_keras_serializable("tfanime")
class DelayedDecay(keras.optimizers.schedules.LearningRateSchedule):
    """Constant until `start`, then multiplied by `decay_rate` every `decay_steps` steps.

    Args:
        initial: the rate before `start`.
        start: step at which the decay begins.
        decay_steps: steps over which the rate falls by `decay_rate`, smoothly.
        decay_rate: between 0 and 1.
    """

    def __init__(self, initial: float, start: int, decay_steps: int, decay_rate: float):
        if not 0 < decay_rate <= 1:
            raise ValueError(f"decay_rate is between 0 and 1. Received: {decay_rate}.")
        self.initial, self.start = initial, start
        self.decay_steps, self.decay_rate = decay_steps, decay_rate

    def __call__(self, step):
        beyond = ops.maximum(ops.cast(step, "float32") - self.start, 0.0)
        return self.initial * ops.power(self.decay_rate, beyond / self.decay_steps)

    def get_config(self):
        return {
            "initial": self.initial,
            "start": self.start,
            "decay_steps": self.decay_steps,
            "decay_rate": self.decay_rate,
        }
