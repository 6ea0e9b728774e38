"""Everything that can be chosen by name, in one place; each registry is open.

    from tfanime.registries import LOSSES

    LOSSES.register("mine", AdversarialLoss(...))      # in a program or a recipe's file

A package announces its own as entry points of the registry's group, `tfanime.losses` and so on:

    [project.entry-points."tfanime.losses"]
    mine = "my_package.losses:MINE"

Importing this imports neither Keras nor TensorFlow, and no name is imported before it is used.
What each object has to be is said above its registry.
"""

from __future__ import annotations

from tfanime.core.registry import Registry, entry

_LOSSES, _PENALTIES = "tfanime.gans.losses", "tfanime.gans.penalties"
_AUGMENT, _SIZES = "tfanime.gans.augment", "tfanime.models.sizes"

# `gans.losses.AdversarialLoss`. signed: see there. targets: whether label_smoothing has a meaning.
LOSSES = Registry(
    "loss",
    "tfanime.losses",
    {
        "non_saturating": entry(f"{_LOSSES}:NON_SATURATING", signed=True, targets=True),
        "minimax": entry(f"{_LOSSES}:MINIMAX", signed=True, targets=True),
        "least_squares": entry(f"{_LOSSES}:LEAST_SQUARES", signed=False, targets=True),
        "wasserstein": entry(f"{_LOSSES}:WASSERSTEIN", signed=False, targets=False),
        "hinge": entry(f"{_LOSSES}:HINGE", signed=True, targets=False),
        "relativistic": entry(f"{_LOSSES}:RELATIVISTIC", signed=False, targets=False),
    },
)

# Functions `(weight=USUAL) -> gans.penalties.GradientPenalty`. weight: the usual one.
PENALTIES = Registry(
    "penalty",
    "tfanime.penalties",
    {
        "wgan-gp": entry(f"{_PENALTIES}:wgan_gp", weight=10.0),
        "dragan": entry(f"{_PENALTIES}:dragan", weight=10.0),
        "dragan-uniform": entry(f"{_PENALTIES}:dragan_uniform", weight=10.0),
        "dragan-chainer": entry(f"{_PENALTIES}:dragan_chainer", weight=10.0),
        "r1": entry(f"{_PENALTIES}:r1", weight=10.0),
        "r2": entry(f"{_PENALTIES}:r2", weight=10.0),
    },
)

# Classes of `gans.objective.Term` that are made of their weight alone.
TERMS = Registry("term", "tfanime.terms", {})

# Functions `(height, width, latent_dim, label_dim, ...options) -> keras.Model`, see
# `tfanime.models`. check: function `(height, width, **options)` that raises ValueError for a size
# that the network cannot have.
GENERATORS = Registry(
    "generator's name",
    "tfanime.generators",
    {
        "dcgan": entry("tfanime.models.dcgan:generator", check=f"{_SIZES}:dcgan_generator"),
        "srresnet": entry("tfanime.models.srresnet:generator", check=f"{_SIZES}:srresnet"),
        "modern": entry("tfanime.models.modern:generator", check=f"{_SIZES}:modern"),
        "r3gan": entry("tfanime.models.r3gan:generator", check=f"{_SIZES}:halved"),
    },
)

# The same, from small images to larger ones; `factor` is an option.
UPSCALERS = Registry(
    "upscaler's name",
    "tfanime.upscalers",
    {
        "srgan": entry("tfanime.models.srgan:generator", check=f"{_SIZES}:srgan"),
        "compact": entry("tfanime.models.compact:generator", check=f"{_SIZES}:compact"),
    },
)

# Functions `(height, width, label_dim, ...options) -> keras.Model`. labels: whether it looks at
# labels, with conditioning="concat". batch_norm: whether it always has some, which no penalty goes
# with; what an option `normalisation` says is known without. check: as above.
DISCRIMINATORS = Registry(
    "discriminator's name",
    "tfanime.discriminators",
    {
        "dcgan": entry(
            "tfanime.models.dcgan:discriminator",
            labels=True,
            check=f"{_SIZES}:dcgan_discriminator",
        ),
        "srresnet": entry(
            "tfanime.models.srresnet:discriminator",
            labels=False,
            check=f"{_SIZES}:srresnet_discriminator",
        ),
        "modern": entry(
            "tfanime.models.modern:discriminator",
            labels=False,
            check=f"{_SIZES}:modern_discriminator",
        ),
        "projected": entry(
            "tfanime.models.projected:discriminator",
            labels=False,
            batch_norm=True,
            check=f"{_SIZES}:projected",
        ),
        "r3gan": entry("tfanime.models.r3gan:discriminator", labels=True, check=f"{_SIZES}:halved"),
        "srgan": entry(
            "tfanime.models.srgan:discriminator", labels=False, check=f"{_SIZES}:halved"
        ),
    },
)

# Functions `(images, noise) -> images`, see `gans.augment`; those of ADA are made by themselves.
AUGMENTATIONS = Registry(
    "augment",
    "tfanime.augmentations",
    {
        name: entry(f"{_AUGMENT}:{name}")
        for name in ("color", "translation", "cutout", "ada_blit", "ada_geom", "ada_color")
    },
)

ADA = ("ada_blit", "ada_geom", "ada_color")


def check_augment(policy: str) -> list[str]:
    """The names of an augmentation such as `"color,translation"`; `"ada"` is all three of ADA.

    Raises:
        ValueError: for an unknown one, naming those that there are, or for none.
    """
    names = [name.strip() for name in policy.split(",") if name.strip()]
    names = [one for name in names for one in (ADA if name == "ada" else (name,))]
    unknown = [name for name in names if name not in AUGMENTATIONS]
    if unknown or not names:
        raise ValueError(
            f"augment is a list of: {', '.join(AUGMENTATIONS)} (ada: {', '.join(ADA)}), separated "
            f"by commas. Received: {policy!r}."
        )
    return names


# `recipes.Config`: `RECIPE` of a module whose docstring describes it.
RECIPES = Registry(
    "recipe",
    "tfanime.recipes",
    {
        name: entry(f"tfanime.recipes.{name.replace('-', '_')}:RECIPE")
        for name in (
            "dcgan",
            "dcgan-sn",
            "wgan",
            "wgan-gp",
            "cdcgan-sn",
            "clsgan",
            "infogan",
            "ac-infogan",
            "makegirlsmoe",
            "dcgan-dragan",
            "modern",
            "projected",
            "r3gan",
            "srgan",
            "lineart",
        )
    },
)

# Functions `(bench: evaluation.workbench.Workbench) -> list[Figure]`, in the order of the report.
METRICS = Registry(
    "metric",
    "tfanime.metrics",
    {
        name: entry(f"tfanime.evaluation.{function}")
        for name, function in {
            "fid": "measures:fid",
            "kid": "measures:kid",
            "prdc": "measures:prdc",
            "is": "measures:inception_score",
            "1nn": "measures:one_nn",
            "diversity": "measures:diversity",
            "neighbours": "measures:neighbours",
            "gan-train-test": "measures:train_test",
            "fid-between-labels": "measures:between_labels",
            "attributes": "attributes:attributes",
        }.items()
    },
)

# Functions `(argument: str, size: (height, width), cache: Path, progress: bool) ->
# data.PackedDataset`; data that are called NAME or NAME:ARGUMENT are theirs. They may keep what
# they make below `cache`. count: how many images there are without an argument, if that is known.
DATA_SOURCES = Registry(
    "data source",
    "tfanime.data_sources",
    {"drawn": entry("tfanime.prepare.load:drawn", count=6000)},
)


def named_source(source: object) -> tuple[str, str] | None:
    """Name and argument of data that are called after a registered source, such as `"drawn"` or
    `"drawn:500"`; None for a path and for data themselves."""
    if not isinstance(source, str):
        return None
    name, _, argument = source.partition(":")
    return (name, argument) if name in DATA_SOURCES else None


# Functions `(run, out)` that write a folder and may return a sentence for the user.
EXPORT_FORMATS = Registry(
    "export format",
    "tfanime.export_formats",
    {
        "web": entry("tfanime.export.web.export:export_web"),
        "saved-model": entry("tfanime.export.serving.saved_model:export_saved_model"),
        "litert": entry("tfanime.export.files.portable:export_litert"),
        "onnx": entry("tfanime.export.files.portable:export_onnx"),
    },
)
