"""DCGAN, the baseline of the Stanford and Anime Faces studies.

Radford, Metz & Chintala, "Unsupervised Representation Learning with Deep Convolutional
Generative Adversarial Networks", ICLR 2016 (arXiv:1511.06434).

Strided and transposed convolutions, batch norm in both networks, ReLU/tanh against LeakyReLU
0.2, N(0, 0.02) initial weights, Adam 2e-4 (0.5, 0.999), non-saturating loss. Sizes that halve
evenly from 16 px up; labels, where the data have them, are ignored.
SGD instead of Adam: `--set optimizer=sgd --set g_lr=0.01 --set d_lr=0.01`.

    tfanime train dcgan --data faces/ --size 64 --minutes 60 --out runs/dcgan
"""

from tfanime.config import Config

RECIPE = Config(
    recipe="dcgan",
    latent_dim=100,
    generator={"name": "dcgan", "channels": 64},
    discriminator={"name": "dcgan", "channels": 64, "normalisation": "batch"},
)
