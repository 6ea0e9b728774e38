"""Wasserstein critic with gradient penalty and layer norm, conditional on labels.

Gulrajani et al., "Improved Training of Wasserstein GANs", NeurIPS 2017 (arXiv:1704.00028): penalty
weight 10 on per-sample norms towards 1 at interpolates, a critic with LayerNorm (batch norm would
make the penalty meaningless), Adam 1e-4 (0, 0.9), five critic steps. The poster study has penalty
and LayerNorm too; it gives rates for its two best models only, and this is not one of them. Labels
join the noise and, as maps, the image; without labels: `--set conditioning=none`.

Expect, after 51,200 images of 32 px, FID 781 and KID 2.20 on faces (MobileNetV2; real images 68
and 0.00): blurred faces; 160 generator updates. Cost: 1.88 billion multiply-adds per image at
64 px, 48 images a second on 2 cores in float32. The documentation tells how these were measured.

    tfanime train wgan-gp --data faces/ --size 64 --minutes 60 --out runs/wgan-gp
"""

from tfanime.recipes.dcgan import RECIPE as DCGAN

RECIPE = DCGAN.override(
    recipe="wgan-gp",
    discriminator={"normalisation": "layer"},
    conditioning="concat",
    loss="wasserstein",
    penalty="wgan-gp",
    critic_steps=5,
    g_lr=1e-4,
    d_lr=1e-4,
    beta_1=0.0,
    beta_2=0.9,
)
