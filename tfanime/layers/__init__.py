"""Keras layers that GANs need and Keras lacks."""

from tfanime.layers.conditioning_augmentation import ConditioningAugmentation
from tfanime.layers.leaky_relu import LeakyReLU
from tfanime.layers.minibatch_stddev import MinibatchStdDev
from tfanime.layers.mirror import Mirror
from tfanime.layers.pixel_shuffle import ICNR, Binomial, PixelShuffle
from tfanime.layers.spectral import SpectralConv2D, SpectralDense

__all__ = [
    "Binomial",
    "ConditioningAugmentation",
    "ICNR",
    "LeakyReLU",
    "MinibatchStdDev",
    "Mirror",
    "PixelShuffle",
    "SpectralConv2D",
    "SpectralDense",
]
