"""DCGAN with spectral normalisation, which the Stanford study saw become monotonous.

Miyato et al., "Spectral Normalization for Generative Adversarial Networks", ICLR 2018
(arXiv:1802.05957), on the DCGAN networks: spectral normalisation in place of the discriminator's
batch norm. At 32 px the study's images were diverse after some 30 epochs, and ever more alike
later; at 64 px they were noisy and alike. It tried Adam's betas (0 or 0.5, 0.9 or 0.999), layers
(generator 6, discriminator 5; 5 and 5; 5 and 6; 5 and 8), and 32 and 64 px. Its tables list no
decay, and one from 2e-3 to 2e-4, without saying clearly of which model: here, or of SRGAN. The
command below is one of its cells, with that decay.

Expect, after 51,200 images of 32 px, FID 834 and KID 2.43 on faces (MobileNetV2; real images 68
and 0.00): blurred faces, nearly all alike. Cost: 1.14 billion multiply-adds per image at 64
px, 78 images a second on 2 cores in float32. The documentation tells how these were measured.

    tfanime train dcgan-sn --data faces/ --size 64 --minutes 60 --out runs/sn \\
        --set beta_1=0 --set beta_2=0.9 --set generator.depth=5 --set discriminator.depth=8 \\
        --set lr=2e-3 --set lr_end=2e-4 --set lr_decay_start=0 --set lr_decay_rate=0.1
"""

from tfanime.recipes.dcgan import RECIPE as DCGAN

RECIPE = DCGAN.override(recipe="dcgan-sn", discriminator={"normalisation": "spectral"})
