"""DCGAN, the baseline of the Stanford and Anime Faces studies.

Radford, Metz & Chintala, "Unsupervised Representation Learning with Deep Convolutional
Generative Adversarial Networks", ICLR 2016 (arXiv:1511.06434).

Strided and transposed convolutions, batch norm in both networks, ReLU/tanh against LeakyReLU
0.2, N(0, 0.02) initial weights, Adam 2e-4 (0.5, 0.999), non-saturating loss. Sizes that halve
evenly from 16 px up; labels, where the data have them, are ignored.
SGD instead of Adam: `--set optimizer=sgd --set g_lr=0.01 --set d_lr=0.01`.

Expect, after 51,200 pictures of 32 px, FID 677 and KID 1.90 on faces (MobileNetV2; real pictures 68
to 72 and 0.00): faces. Cost: 1.14 billion multiply-adds a picture at 64 px, 75 pictures a second on
2 cores in float32. docs/recipes.md and docs/performance.md tell how these were measured.

    tfanime train dcgan --data faces/ --size 64 --minutes 60 --out runs/dcgan
"""

from tfanime.config import Config

RECIPE = Config(
    recipe="dcgan",
    latent_dim=100,
    generator={"name": "dcgan", "channels": 64},
    discriminator={"name": "dcgan", "channels": 64, "normalisation": "batch"},
)
