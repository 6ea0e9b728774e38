"""DCGAN generator with DRAGAN and label head: the baseline of MakeGirlsMoe's Table 3.

Jin et al., "Towards the Automatic Anime Characters Creation with Generative Adversarial
Networks", 2017 (arXiv:1708.05509), table 3. The networks are DCGAN's, without batch norm in the
discriminator, since a gradient penalty needs each sample's gradient to be its own; everything
else is as in `makegirlsmoe`, so that the two differ in the networks only.

Expect, after 51,200 images of 32 px, FID 880 and KID 2.54 on faces with hair and eye colour
(MobileNetV2; real images 68 to 72 and 0.00): one blurred face for all: it needs far longer. Cost:
1.67 billion multiply-adds per image at 64 px, 53 images a second on 2 cores in float32.
The documentation tells how these were measured.

    tfanime train dcgan-dragan --data faces/ --size 64 --minutes 60 --out runs/dcgan-dragan
"""

from tfanime.recipes.makegirlsmoe import RECIPE as MAKEGIRLSMOE

RECIPE = MAKEGIRLSMOE.override(
    recipe="dcgan-dragan",
    generator={"name": "dcgan", "channels": 64},
    discriminator={"name": "dcgan", "channels": 64, "normalisation": "none"},
)
