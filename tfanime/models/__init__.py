"""Networks, by the names that recipes use. Only `keras` and `keras.ops`: no IO, no `tf.*`.

The tables are those of `tfanime.registries`; a module is imported when its network is asked for.

A generator is a `keras.Model` from latents `(B, Z)`, or from `[latents (B, Z), labels (B, L)]`
with labels in -1/+1 coding, to images `(B, H, W, 3)` float32 in [-1, 1].

An upscaler is a generator from images `(B, h, w, 3)` of any size to larger ones, whose values
may lie slightly outside [-1, 1].

A discriminator is a `keras.Model` from images, or from `[images, labels]`, to
`{"logits": (B, N), "features": (B, F)}`, both float32, where heads read the features. N
is 1, or the number of places and maps that are judged one by one (`projected`).
"""

from tfanime.registries import DISCRIMINATORS, GENERATORS, UPSCALERS

__all__ = ["DISCRIMINATORS", "GENERATORS", "UPSCALERS"]
