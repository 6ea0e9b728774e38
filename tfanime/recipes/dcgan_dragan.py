"""DCGAN generator with DRAGAN and label head: the baseline of MakeGirlsMoe's Table 3.

Jin et al., "Towards the Automatic Anime Characters Creation with Generative Adversarial
Networks", 2017 (arXiv:1708.05509), table 3. The networks are DCGAN's, without batch norm in the
discriminator, since a gradient penalty needs each sample's gradient to be its own; everything
else is as in `makegirlsmoe`, so that the two differ in the networks only.

    tfanime train dcgan-dragan --data faces/ --size 64 --minutes 60 --out runs/dcgan-dragan
"""

from tfanime.recipes.makegirlsmoe import RECIPE as MAKEGIRLSMOE

RECIPE = MAKEGIRLSMOE.override(
    recipe="dcgan-dragan",
    generator={"name": "dcgan", "channels": 64},
    discriminator={"name": "dcgan", "channels": 64, "normalisation": "none"},
)
