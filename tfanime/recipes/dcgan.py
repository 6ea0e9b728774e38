"""DCGAN, the Stanford study's baseline.

Radford, Metz & Chintala, "Unsupervised Representation Learning with Deep Convolutional
Generative Adversarial Networks", ICLR 2016 (arXiv:1511.06434).

Strided and transposed convolutions, batch norm in both networks, ReLU/tanh against LeakyReLU
0.2, N(0, 0.02) initial weights, Adam 2e-4 (0.5, 0.999), non-saturating loss. Sizes that halve
evenly from 16 px up; labels, where the data have them, are ignored. Rates are the paper's. The
Stanford study tried 1.5e-3 to 2.5e-3, Adam and SGD, and generators of 6 and 7 layers: with rates
shared by both networks its table is

    tfanime sweep dcgan --data faces/ --size 64 --epochs 30 --out sweeps/dcgan \\
        --grid optimizer=adam,sgd --grid generator.depth=6,7 --grid lr=0.0025,0.002,0.0015

and it saw 15 % good images and 14 % broken ones.

Expect, after 51,200 images of 32 px, FID 658 and KID 1.80 on faces (MobileNetV2; real images 68
and 0.00): faces. Cost: 1.14 billion multiply-adds per image at 64 px, 75 images a second on
2 cores in float32. The documentation tells how these were measured.

    tfanime train dcgan --data faces/ --size 64 --minutes 60 --out runs/dcgan
"""

from tfanime.recipes.config import Config

RECIPE = Config(
    recipe="dcgan",
    latent_dim=100,
    generator={"name": "dcgan", "channels": 64},
    discriminator={"name": "dcgan", "channels": 64, "normalisation": "batch"},
)
