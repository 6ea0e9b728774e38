"""Enlarges drawings for a browser: x2 or x4, small, fast, with clean lines.

Networks and losses as `srgan`, but all convolutions at the small picture's size (`models.compact`),
small pictures with the faults of drawn ones (lines that tremble, halos), and content alone.

    tfanime train lineart --data crops/ --size 128 --minutes 45 --out runs/lineart
"""

from tfanime.recipes.config import Config

RECIPE = Config(
    recipe="lineart",
    image_size=128,
    generator={"name": "compact", "factor": 4, "channels": 48, "blocks": 6},
    discriminator={"name": "srgan", "channels": 16},
    adversarial_weight=0.0,
    degraded=0.7,
    wobble=0.5,
    sharpened=1.0,
    jitter=0.1,
    g_lr=1e-3,
    d_lr=2e-4,
    beta_1=0.9,
    lr_decay_start=0,
    lr_decay_steps=5_000,
    lr_decay_rate=0.1,
    lr_end=1e-4,
    batch_size=16,
)
