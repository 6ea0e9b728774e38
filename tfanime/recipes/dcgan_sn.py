"""DCGAN with spectral normalisation, the Stanford study's best.

Miyato et al., "Spectral Normalization for Generative Adversarial Networks", ICLR 2018
(arXiv:1802.05957), on the DCGAN networks: spectral normalisation in place of the
discriminator's batch norm. The study tried Adam betas (0 or 0.5, 0.9 or 0.999), depths of 5-6
(generator) and 5-8 (discriminator), 32 and 64 px, with and without decay:

Expect, after 51,200 pictures of 32 px, FID 892 and KID 2.65 on faces (MobileNetV2; real pictures 68
to 72 and 0.00): blurred faces, nearly all alike. Cost: 1.14 billion multiply-adds a picture at 64
px, 78 pictures a second on 2 cores in float32. docs/recipes.md and docs/performance.md tell how
these were measured.

    tfanime train dcgan-sn --data faces/ --size 64 --minutes 60 --out runs/sn \\
        --set beta_1=0 --set beta_2=0.9 --set generator.depth=6 --set discriminator.depth=8 \\
        --set lr_decay_start=10000
"""

from tfanime.recipes.dcgan import RECIPE as DCGAN

RECIPE = DCGAN.override(recipe="dcgan-sn", discriminator={"normalisation": "spectral"})
