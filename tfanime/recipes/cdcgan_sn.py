"""Conditional DCGAN with spectral normalisation, the poster study's best model.

Mirza & Osindero, "Conditional Generative Adversarial Nets", 2014 (arXiv:1411.1784), on DCGAN
networks with spectral normalisation (Miyato et al. 2018): the label vector is concatenated to the
noise and, as constant maps, to the image. Adam 2e-4 (0.5, 0.999). Spectral normalisation takes
the place of the discriminator's batch norm, which the study's text leaves beside it. The study
tried Adam, RMSprop and SGD, batches of 16 to 64 and up to 20 layers, at 256 px; after 39 hours it
reports FID 166.4 (Inception), colours without shapes, and that the two classes are mixed up.
Without labels: `--set conditioning=none`.

Expect, after 51,200 images of 32 px with hair and eye colour, the first outlines of faces. Cost:
1.43 billion multiply-adds per image at 64 px, 63 images a second on 2 cores in float32. The
documentation tells how these were measured.

    tfanime train cdcgan-sn --data posters/ --size 64x96 --minutes 60 --out runs/posters
"""

from tfanime.recipes.dcgan import RECIPE as DCGAN

RECIPE = DCGAN.override(
    recipe="cdcgan-sn",
    discriminator={"normalisation": "spectral"},
    conditioning="concat",
)
