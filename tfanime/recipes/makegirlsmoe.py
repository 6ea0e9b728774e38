"""MakeGirlsMoe's SRResNet generator, DRAGAN, a multi-label head for 34 attributes.

Jin et al., "Towards the Automatic Anime Characters Creation with Generative Adversarial
Networks", 2017 (arXiv:1708.05509).

Generator of 16 residual blocks and pixel-shuffle upsampling; discriminator of 10 residual blocks
without batch norm; lambda_adv 34, lambda_gp 0.5, Adam beta_1 0.5, batch 64, simultaneous
updates, labels in -1/+1 coding drawn with colours uniform and other attributes 0.25, N(0, 0.02)
initial weights, exponential decay of the rate after 50,000 steps. The paper prints an initial
rate of 2e-5; the recipe uses 2e-4 (`--set g_lr=2e-5 --set d_lr=2e-5` gives the printed one).

    tfanime train makegirlsmoe --data faces/ --size 128 --steps 50000 --out runs/girls
"""

from tfanime.config import Config

RECIPE = Config(
    recipe="makegirlsmoe",
    image_size=(128, 128),
    latent_dim=128,
    generator={"name": "srresnet", "channels": 64, "blocks": 16},
    discriminator={"name": "srresnet", "channels": 32},
    conditioning="ac",
    multilabel=True,
    prior="training",
    penalty="dragan",
    penalty_weight=0.5,
    adversarial_weight=34.0,
    updates="simultaneous",
    lr_decay_start=50_000,
)
