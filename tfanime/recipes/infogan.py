"""Categorical and continuous codes recovered from generated pictures.

Chen et al., "InfoGAN: Interpretable Representation Learning by Information Maximizing Generative
Adversarial Nets", NeurIPS 2016 (arXiv:1606.03657), as in the poster study. The codes follow the
data's label schema (groups: categorical, flags: binary, values: continuous) and are drawn from
its frequencies; a head on the discriminator's features recovers them, which bounds their mutual
information with the picture from below (eq. 5). Real labels are never shown to the head, so what
a code comes to mean is the network's choice.

    tfanime train infogan --data faces/ --size 64 --minutes 60 --out runs/infogan
"""

from tfanime.recipes.dcgan import RECIPE as DCGAN

RECIPE = DCGAN.override(recipe="infogan", conditioning="infogan", prior="empirical")
