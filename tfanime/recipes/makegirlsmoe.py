"""MakeGirlsMoe's SRResNet generator, DRAGAN, a multi-label head for 34 attributes.

Jin et al., "Towards the Automatic Anime Characters Creation with Generative Adversarial
Networks", 2017 (arXiv:1708.05509).

Generator of 16 residual blocks and pixel-shuffle upsampling; discriminator of 10 residual blocks
without batch norm; lambda_gp 0.5, Adam beta_1 0.5, batch 64, simultaneous updates, labels drawn
with colours uniform and other attributes 0.25 (in -1/+1 coding, as the released generator takes
them), N(0, 0.02) initial weights, exponential decay of the rate after 50,000 steps. The paper
prints an initial rate of 2e-5; the recipe uses 2e-4 (`--set g_lr=2e-5 --set d_lr=2e-5` gives the
printed one).

lambda_adv is the number of attributes ("the model achieve best performance with lambda_adv
equaling to the number of attributes", section 5.1.2): 34 for the paper's, for other labels as many
as they have columns, 1 without labels; `--set adversarial_weight=34` fixes it. DRAGAN's points are
those of its paper, Gaussian around real images; `--set penalty=dragan-chainer` takes them as the
code does that MakeGirlsMoe's paper cites (chainer-gan-lib): uniform, to one side, by up to half
the deviation of each pixel.

Expect, after 51,200 images of 32 px with hair and eye colour, nothing but noise: it is made for far
longer runs. Cost: 4.61 billion multiply-adds per image at 64 px, 16 images a second on 2 cores in
float32. The documentation tells how these were measured.

    tfanime train makegirlsmoe --data faces/ --size 128 --steps 50000 --out runs/girls
"""

from tfanime.recipes.config import Config

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
    adversarial_weight=None,
    updates="simultaneous",
    lr_decay_start=50_000,
)
