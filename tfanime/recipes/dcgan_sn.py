"""DCGAN with spectral normalisation, the Stanford study's best.

Miyato et al., "Spectral Normalization for Generative Adversarial Networks", ICLR 2018
(arXiv:1802.05957), on the DCGAN networks: spectral normalisation in place of the
discriminator's batch norm. The study tried Adam betas (0 or 0.5, 0.9 or 0.999), depths of 5-6
(generator) and 5-8 (discriminator), 32 and 64 px, with and without decay:

    tfanime train dcgan-sn --data faces/ --size 64 --minutes 60 --out runs/sn \\
        --set beta_1=0 --set beta_2=0.9 --set generator.depth=6 --set discriminator.depth=8 \\
        --set lr_decay_start=10000
"""

from tfanime.recipes.dcgan import RECIPE as DCGAN

RECIPE = DCGAN.override(recipe="dcgan-sn", discriminator={"normalisation": "spectral"})
