"""Wasserstein critic with weight clipping, on DCGAN's networks: the Stanford study's best.

Arjovsky, Chintala & Bottou, "Wasserstein GAN", ICML 2017 (arXiv:1701.07875), algorithm 1: RMSprop
5e-5, weights clipped to +-0.01, batch 64, five critic steps per generator step, no sigmoid. The
study repeats these, and judged 40 % of its images good. One step sees 320 images, so an epoch
has a fifth of the generator updates of `dcgan`.

Expect, after 51,200 images of 32 px, FID 1001 and KID 2.83 on faces (MobileNetV2; real images
68 and 0.00): noise: few and small updates. Cost: 0.81 billion multiply-adds per image at 64
px, 101 images a second on 2 cores in float32. The documentation tells how these were measured.

    tfanime train wgan --data faces/ --size 64 --minutes 60 --out runs/wgan
"""

from tfanime.recipes.dcgan import RECIPE as DCGAN

RECIPE = DCGAN.override(
    recipe="wgan",
    loss="wasserstein",
    weight_clip=0.01,
    critic_steps=5,
    optimizer="rmsprop",
    g_lr=5e-5,
    d_lr=5e-5,
)
