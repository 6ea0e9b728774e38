"""GANs as Keras models: `GAN` and one small subclass per published objective."""

from tfanime.gans import losses, penalties
from tfanime.gans.gan import GAN
from tfanime.gans.super_resolution import SRGAN
from tfanime.gans.variants import DRAGAN, LSGAN, WGAN, WGANGP, HingeGAN, InfoGAN

__all__ = [
    "DRAGAN",
    "GAN",
    "HingeGAN",
    "InfoGAN",
    "LSGAN",
    "SRGAN",
    "WGAN",
    "WGANGP",
    "losses",
    "penalties",
]
