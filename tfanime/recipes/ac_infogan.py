"""Auxiliary classifier and InfoGAN head on the spectrally normalised DCGAN.

Odena, Olah & Shlens, "Conditional Image Synthesis with Auxiliary Classifier GANs", ICML 2017
(arXiv:1610.09585), joined with InfoGAN as in the poster study: the head learns labels from real
pictures and recovers the drawn ones from generated pictures. Without labels:
`--set conditioning=none`.

    tfanime train ac-infogan --data posters/ --size 64x96 --minutes 60 --out runs/ac-infogan
"""

from tfanime.recipes.dcgan import RECIPE as DCGAN

RECIPE = DCGAN.override(
    recipe="ac-infogan",
    discriminator={"normalisation": "spectral"},
    conditioning="ac",
    prior="empirical",
)
