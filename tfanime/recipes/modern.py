"""What we would train today on few pictures, on one GPU or a CPU.

Ours. A discriminator that looks through a frozen network, the tagger that ships, and at the pixels
(Projected GAN, Sauer et al. 2021), with hinge loss; a small residual
generator; translations and horizontal flips of what is seen, an averaged generator, and, with
labels, an auxiliary classifier. On pictures that are no faces the tagger knows edges and colours
at least; without it, and for the recipe that this one replaced:

    --set discriminator=modern --set loss=non_saturating --set penalty=r1 --set penalty_weight=1

    tfanime train modern --data faces/ --size 64 --minutes 120 --out runs/modern
"""

from tfanime.config import Config

RECIPE = Config(
    recipe="modern",
    latent_dim=128,
    generator={"name": "modern", "channels": 64},
    discriminator={"name": "projected", "features": "tagger"},
    loss="hinge",
    conditioning="auto",
    head_weight=0.2,
    updates="simultaneous",
    joint_batch=True,
    head_on_fake=False,
    augment="translation",
    g_lr=4e-4,
    d_lr=4e-4,
    beta_1=0.0,
    beta_2=0.99,
    batch_size=16,
)
