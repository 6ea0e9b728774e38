"""Networks, by the names that recipes use. Only `keras` and `keras.ops`: no IO, no `tf.*`.

A generator is a `keras.Model` from latents `(B, Z)`, or from `[latents (B, Z), labels (B, L)]`
with labels in -1/+1 coding, to pictures `(B, H, W, 3)` float32 in [-1, 1].

A discriminator is a `keras.Model` from pictures, or from `[pictures, labels]`, to
`{"logits": (B, 1), "features": (B, F)}`, both float32, where heads read the features.
"""

from tfanime.models import dcgan, modern, srresnet

GENERATORS = {"dcgan": dcgan.generator, "srresnet": srresnet.generator, "modern": modern.generator}
DISCRIMINATORS = {
    "dcgan": dcgan.discriminator,
    "srresnet": srresnet.discriminator,
    "modern": modern.discriminator,
}

__all__ = ["DISCRIMINATORS", "GENERATORS"]
