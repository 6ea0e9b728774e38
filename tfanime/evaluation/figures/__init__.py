"""The figures of papers, one function each: what stays when noise or attributes change, how the
space of features looks, what a data set holds. Each writes one image file.
"""

from tfanime.evaluation.figures.curves import training, truncation
from tfanime.evaluation.figures.dataset import averages, boxes, histograms, samples, sizes
from tfanime.evaluation.figures.editing import directions
from tfanime.evaluation.figures.feature_space import embedding
from tfanime.evaluation.figures.model import fixed_attributes, fixed_noise, interpolation

__all__ = [
    "averages",
    "boxes",
    "directions",
    "embedding",
    "fixed_attributes",
    "fixed_noise",
    "histograms",
    "interpolation",
    "samples",
    "sizes",
    "training",
    "truncation",
]
