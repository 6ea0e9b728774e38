"""Auxiliary classifier and InfoGAN head on the spectrally normalised DCGAN.

Odena, Olah & Shlens, "Conditional Image Synthesis with Auxiliary Classifier GANs", ICML 2017
(arXiv:1610.09585), joined with InfoGAN as in the poster study: the head learns labels from real
images and recovers the drawn ones from generated images. Codes beside the labels, which the
head recovers from generated images alone: `--set categorical_codes=1 --set continuous_codes=2`.
Without labels: `infogan`, or `--set conditioning=none`.

Expect, after 51,200 images of 32 px with hair and eye colour, blurred faces in the colours asked
for. Cost: 1.15 billion multiply-adds per image at 64 px, 75 images a second on 2 cores in float32.
The documentation tells how these were measured.

    tfanime train ac-infogan --data posters/ --size 64x96 --minutes 60 --out runs/ac-infogan
"""

from tfanime.recipes.dcgan import RECIPE as DCGAN

RECIPE = DCGAN.override(
    recipe="ac-infogan",
    discriminator={"normalisation": "spectral"},
    conditioning="ac",
    prior="empirical",
)
