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
# What stands behind the convolutions of a network.
NORMALISATIONS = {
    ("generator", "dcgan"): ("batch", "conditional", "none"),
    ("generator", "modern"): ("batch", "conditional", "styled"),
    ("discriminator", "dcgan"): ("batch", "spectral", "layer", "none"),
    ("discriminator", "srgan"): ("spectral", "batch", "none"),
}
STRATEGIES = ("auto", "none", "mirrored", "multiworker")

# Collect, prepare, text.
NEEDABLE = ("genres", "synopsis", "score", "year")  # what a record of an anime may have to have
FITS = ("crop", "pad")
BORDERS = ("reflect", "shift", "refuse")
UNDECIDED = ("drop", "unknown", "first")
POOLINGS = ("mean", "pooled", "cls")

# Draw, edit, posters.
INTERPOLATIONS = ("slerp", "lerp")
FACE_FEATURES = ("tagger", "lite0")
LAYOUTS = ("auto", "top", "bottom", "centre", "vertical")
STYLES = ("print", "mist", "paint")
PAPERS = ("a3", "a2", "b2")

# Evaluate.
PROTOCOLS = ("seed-a", "seed-b")
RESIZES = ("clean", "legacy")
WEIGHTS = ("ema", "raw")
EMBEDDINGS = ("tsne", "pca")
FAMILIES = ("imagenet", "nsfwjs")  # what frozen networks learnt from

# Export.
WEB_PRECISIONS = ("float32", "float16", "mixed", "uint8")
CONVERTERS = ("tfanime", "tensorflowjs")


def check_normalisation(role: str, network: str, value: object) -> None:
    """Raises ValueError for a normalisation that the network does not have."""
    names = NORMALISATIONS[role, network]
    if value not in names:
        raise ValueError(f"normalisation is one of: {', '.join(names)}. Received: {value!r}.")
