"""VGG19's features as an upscaler's content loss, for those who have its weights.

Reference:
    [Simonyan & Zisserman, 2015](https://arxiv.org/abs/1409.1556)
"""

from __future__ import annotations

import keras
import numpy as np
from keras import layers

MEAN = (103.939, 116.779, 123.68)  # blue, green, red of ImageNet, which its weights expect
SCALE = 1 / 12.75  # Ledig et al. 2017, section 3.2: features as large as pixels


def vgg19_features(weights: str | None = "imagenet", layer: str = "block5_conv4") -> keras.Model:
    """A frozen model to save and name as `feature_model`.

        vgg19_features("vgg19_notop.h5").save("vgg19.keras")
        tfanime train srgan --set feature_model=vgg19.keras --set feature_weight=0.006 ...

    Args:
        weights: as for `keras.applications.VGG19`: a file, `"imagenet"` or None (random).
        layer: whose values are the features; the paper's VGG5,4 is the last convolution.

    Returns:
        `keras.Model` from images `(B, H, W, 3)` in [-1, 1] to features, float32.
    """
    vgg = keras.applications.VGG19(include_top=False, weights=weights)
    features = keras.Model(vgg.input, vgg.get_layer(layer).output)
    pictures = keras.Input((None, None, 3), name="pictures")
    prepare = layers.Conv2D(3, 1, name="prepare", dtype="float32")
    scale = layers.Rescaling(SCALE, name="scale", dtype="float32")
    model = keras.Model(pictures, scale(features(prepare(pictures))), name="vgg19")
    # RGB in [-1, 1] to BGR in 0..255 less the mean.
    swapped = 127.5 * np.eye(3, dtype=np.float32)[::-1]
    prepare.set_weights([swapped[None, None], np.float32(127.5) - np.array(MEAN, np.float32)])
    model.trainable = False
    return model
