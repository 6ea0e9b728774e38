"""Networks, by the names that recipes use. Only `keras` and `keras.ops`: no IO, no `tf.*`.

A generator is a `keras.Model` from latents `(B, Z)`, or from `[latents (B, Z), labels (B, L)]`
with labels in -1/+1 coding, to pictures `(B, H, W, 3)` float32 in [-1, 1].

An upscaler is a generator from pictures `(B, h, w, 3)` of any size to larger ones, whose values
may lie slightly outside [-1, 1].

A discriminator is a `keras.Model` from pictures, or from `[pictures, labels]`, to
`{"logits": (B, N), "features": (B, F)}`, both float32, where heads read the features. N
is 1, or the number of places and maps that are judged one by one (`projected`).
"""

from tfanime.models import dcgan, modern, projected, r3gan, srgan, srresnet

GENERATORS = {
    "dcgan": dcgan.generator,
    "srresnet": srresnet.generator,
    "modern": modern.generator,
    "r3gan": r3gan.generator,
}
UPSCALERS = {"srgan": srgan.generator}
DISCRIMINATORS = {
    "dcgan": dcgan.discriminator,
    "srresnet": srresnet.discriminator,
    "modern": modern.discriminator,
    "projected": projected.discriminator,
    "r3gan": r3gan.discriminator,
    "srgan": srgan.discriminator,
}

__all__ = ["DISCRIMINATORS", "GENERATORS", "UPSCALERS"]
