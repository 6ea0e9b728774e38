"""Judging a trained model: figures with their protocols, images, one report.

`evaluate` puts the metrics of `tfanime.metrics` together; `figures` draws what papers show.
"""

from tfanime.evaluation.evaluate import evaluate
from tfanime.evaluation.report import Figure, Report

__all__ = ["Figure", "Report", "evaluate"]
