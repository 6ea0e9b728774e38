"""DCGAN generator with DRAGAN and label head: the baseline of MakeGirlsMoe's Table 3.

Jin et al., "Towards the Automatic Anime Characters Creation with Generative Adversarial
Networks", 2017 (arXiv:1708.05509), table 3, which names the generator alone. Here both networks are
DCGAN's, the discriminator without batch norm, since a gradient penalty needs each sample's gradient
to be its own; everything else is as in `makegirlsmoe`. With the discriminator of that:
`--set discriminator=srresnet --set discriminator.channels=32`.

Expect, after 51,200 images of 32 px with hair and eye colour, one blurred face for all: it needs
far longer. Cost: 1.67 billion multiply-adds per image at 64 px, 53 images a second on 2 cores in
float32. The documentation tells how these were measured.

    tfanime train dcgan-dragan --data faces/ --size 64 --minutes 60 --out runs/dcgan-dragan
"""

from tfanime.recipes.makegirlsmoe import RECIPE as MAKEGIRLSMOE

RECIPE = MAKEGIRLSMOE.override(
    recipe="dcgan-dragan",
    generator={"name": "dcgan", "channels": 64},
    discriminator={"name": "dcgan", "channels": 64, "normalisation": "none"},
)
