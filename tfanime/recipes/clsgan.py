"""Conditional least-squares GAN of the poster study.

Mao et al., "Least Squares Generative Adversarial Networks", ICCV 2017 (arXiv:1611.04076): no
sigmoid, squared distances to 1 and 0 (factor 1/2), on the conditional DCGAN networks with batch
norm. Without labels: `--set conditioning=none`.

    tfanime train clsgan --data posters/ --size 64x96 --minutes 60 --out runs/clsgan
"""

from tfanime.recipes.dcgan import RECIPE as DCGAN

RECIPE = DCGAN.override(recipe="clsgan", conditioning="concat", loss="least_squares")
