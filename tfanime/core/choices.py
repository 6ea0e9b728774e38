"""What settings and options may say where the choice is not open: one table for Python, the CLI and
the checks, none of which imports TensorFlow. Open ones are in `tfanime.registries`.
"""

CONDITIONINGS = ("none", "concat", "projection", "ac", "infogan", "auto")
OPTIMIZERS = ("adam", "rmsprop", "sgd")
PRIORS = ("data", "rows", "empirical", "training")
SCALINGS = ("signed", "unit")
UPDATES = ("alternating", "simultaneous")
VECTOR_LOSSES = ("matching", "squared")
PIXEL_LOSSES = ("l1", "mse")
# float16 is not among them: its gradients vanish unless losses are scaled.
PRECISIONS = ("float32", "mixed_bfloat16")
STRATEGIES = ("auto", "none", "mirrored", "multiworker")
