"""From an image to the latent and the labels that a generator draws it from."""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import layers

INIT = {"kernel_initializer": "he_normal", "use_bias": False}
BATCH_NORM = {"momentum": 0.95, "epsilon": 1e-5}
# Channels of maps of a half, a quarter ... of the sides; further maps have as many as the last.
WIDTHS = (32, 64, 128, 160)
LEAST = 4  # of the shorter side of the last map
READ = 32  # channels that the last map is read by, place by place
LEAK = 0.2


def network(
    height: int, width: int, latent_dim: int, label_dim: int, widths: Sequence[int] = WIDTHS
) -> keras.Model:
    """Strided convolutions, a residual one at an eighth of the sides, and a dense layer, which
    knows where things are.

    Layers are those that become steps of an exported graph, so that browsers can encode. With 64
    pixels, 128 latents and 31 labels it has 0.52 million weights and costs a tenth of the
    generator.

    Args:
        height, width: of the images, float32 in [-1, 1]; the shorter one is 8 at least.
        latent_dim: numbers of a latent.
        label_dim: columns of the labels; 0: none.
        widths: channels, see `WIDTHS`.

    Returns:
        From `(B, height, width, 3)` to `(B, latent_dim + label_dim)` float32: latents, then logits
        of labels.
    """
    x = pictures = keras.Input((height, width, 3), name="pictures")
    stage = 0
    while min(x.shape[1:3]) > LEAST:
        channels = widths[min(stage, len(widths) - 1)]
        x = layers.Conv2D(channels, 3, 2, "same", name=f"down{stage}", **INIT)(x)
        x = _rectified(x, f"down{stage}")
        if stage == 2:
            more = layers.Conv2D(channels, 3, padding="same", name=f"res{stage}", **INIT)(x)
            more = layers.BatchNormalization(name=f"res{stage}_bn", **BATCH_NORM)(more)
            x = layers.Add(name=f"res{stage}_add")([x, more])
            x = layers.LeakyReLU(LEAK, name=f"res{stage}_relu")(x)
        stage += 1
    x = layers.Conv2D(READ, 1, name="read", **INIT)(x)
    x = layers.Flatten(name="flat")(_rectified(x, "read"))
    # Nothing is the likeliest latent, and what it says first.
    start = keras.initializers.RandomNormal(stddev=0.01)
    last = layers.Dense(latent_dim + label_dim, kernel_initializer=start, name="found")
    return keras.Model(pictures, last(x), name="encoder")


def _rectified(x, name: str):
    x = layers.BatchNormalization(name=f"{name}_bn", **BATCH_NORM)(x)
    return layers.LeakyReLU(LEAK, name=f"{name}_relu")(x)
