"""Categorical and continuous codes recovered from generated images.

Chen et al., "InfoGAN: Interpretable Representation Learning by Information Maximizing Generative
Adversarial Nets", NeurIPS 2016 (arXiv:1606.03657), as in the poster study. The codes follow the
data's label schema (groups: categorical, flags: binary, values: continuous) and are drawn from
its frequencies; a head on the discriminator's features recovers them, which bounds their mutual
information with the image from below (eq. 5). Real labels are never shown to the head, so what
a code comes to mean is the network's choice. Without labels, one code of ten values and two from
-1 to 1 take their place, as the paper has them for digits; `categorical_codes`, `code_values` and
`continuous_codes` set others, beside labels too. They are asked for like attributes:

    tfanime generate runs/infogan --categorical_1 3 --continuous_1=-0.5 --grid faces.png

Expect, after 51,200 images of 32 px with hair and eye colour, outlines of faces in the colours of
its codes. Cost: 1.15 billion multiply-adds per image at 64 px, 78 images a second on 2 cores in
float32. The documentation tells how these were measured.

    tfanime train infogan --data faces/ --size 64 --minutes 60 --out runs/infogan
"""

from tfanime.recipes.dcgan import RECIPE as DCGAN

RECIPE = DCGAN.override(recipe="infogan", conditioning="infogan", prior="empirical")
