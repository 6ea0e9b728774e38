"""R3GAN: a loss that pairs images, two penalties, plain residual networks, and nothing else.

Huang et al., "The GAN is dead; long live the GAN! A Modern GAN Baseline", NeurIPS 2024
(arXiv:2501.05441): every real image is compared with a generated one, so that no mode pays off to
leave out; with the gradient penalties R1 and R2, on real and on generated images, training provably
converges near its goal. Then none of what steadied GANs before is needed: no normalisation, no
momentum, no minibatch statistics. Rates, penalties and Adam's second moment, the average of the
generator and the augmentation follow half a cosine, here over 500,000 images (20 million in the
paper); train on, and they stay where they end. 3x3 convolutions are dense (`models.r3gan`).

What differs from the paper besides: images are bounded by a tanh, both networks are updated at the
same weights, and batches hold 16 images instead of 256. Labels are ignored; with them, take `--set
conditioning=projection`, the nearest to what it does for classes.

Expect: not measured on faces; of 64 faces from stacked attributes its objective covers 58. Cost:
2.70 billion multiply-adds an image at 64 px, of which the two penalties are more than half. The
documentation (Performance, Modes covered) tells how these were counted.

    tfanime train r3gan --data faces/ --size 64 --minutes 120 --out runs/r3gan
"""

from tfanime.core.schedules import Schedule
from tfanime.recipes.config import Config

IMAGES = 500_000
RATE = Schedule(2e-4, 5e-5, IMAGES)

RECIPE = Config(
    recipe="r3gan",
    latent_dim=64,
    generator={"name": "r3gan"},
    discriminator={"name": "r3gan"},
    loss="relativistic",
    penalty="r1,r2",
    penalty_weight=Schedule(2.0, 0.2, IMAGES),
    updates="simultaneous",
    augment="ada",
    augment_probability=Schedule(0.0, 0.3, IMAGES),
    g_lr=RATE,
    d_lr=RATE,
    beta_1=0.0,
    beta_2=Schedule(0.9, 0.99, IMAGES),
    batch_size=16,
    ema_half_life=Schedule(0.0, 12_500.0, IMAGES),
)
