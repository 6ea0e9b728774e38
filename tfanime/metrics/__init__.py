"""Judging images. Every metric climbs the same ladder, and each step can be used alone:

    images -> features (`features`) -> statistics (`statistics`) -> a number

A number means something only with its protocol: extractor, layer, resize, counts, real set, seed.
Nothing here knows of training.
"""

from __future__ import annotations

from tfanime.metrics.attributes import AttributePrecision, attribute_precision, corrected
from tfanime.metrics.diversity import mean_feature_distance, mean_ms_ssim, ms_ssim
from tfanime.metrics.extractor import Extractor
from tfanime.metrics.features import extract, load_classifier, load_extractor
from tfanime.metrics.fid import fid_between, fid_from_features, fid_from_statistics
from tfanime.metrics.gan_train_test import GanTrainTest, gan_train_test
from tfanime.metrics.inception_score import (
    InceptionScore,
    inception_score_by_label,
    inception_score_from_posteriors,
    posteriors_from_logits,
    posteriors_from_output,
)
from tfanime.metrics.kid import Kid, kid_from_features
from tfanime.metrics.nearest_neighbour import (
    NearestNeighbour,
    nearest_neighbour_accuracy,
    nearest_neighbour_accuracy_by_label,
    nearest_training,
)
from tfanime.metrics.prdc import Prdc, prdc_from_features
from tfanime.metrics.statistics import (
    RunningStatistics,
    Statistics,
    dataset_features,
    dataset_statistics,
    statistics_of,
)

__all__ = [
    "AttributePrecision",
    "Extractor",
    "GanTrainTest",
    "InceptionScore",
    "Kid",
    "NearestNeighbour",
    "Prdc",
    "RunningStatistics",
    "Statistics",
    "attribute_precision",
    "corrected",
    "dataset_features",
    "dataset_statistics",
    "extract",
    "fid_between",
    "fid_from_features",
    "fid_from_statistics",
    "gan_train_test",
    "inception_score_by_label",
    "inception_score_from_posteriors",
    "kid_from_features",
    "load_classifier",
    "load_extractor",
    "mean_feature_distance",
    "mean_ms_ssim",
    "ms_ssim",
    "nearest_neighbour_accuracy",
    "nearest_neighbour_accuracy_by_label",
    "nearest_training",
    "posteriors_from_logits",
    "posteriors_from_output",
    "prdc_from_features",
    "statistics_of",
]
