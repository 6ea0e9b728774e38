"""Judging by eye: blind sheets of several models' images, a form, and what the filled form says.

Each attribute in turn is asked for and the rest left to chance, as `attributes` of `evaluate` does
with a network. Here a person looks, who knows neither the model nor what was asked for. The folder
holds `RULES.md` and `form.csv` for the judge, `s00.png`, `s01.png`, ... (20 numbered images each),
and `key.json`, which says of every image what it is.
"""

from tfanime.evaluation.by_eye.blind_sheets import sheets
from tfanime.evaluation.by_eye.chooser import Choosing, train_chooser
from tfanime.evaluation.by_eye.shares import ByEye, Share, score, table, wilson
from tfanime.evaluation.by_eye.steering import Steering, steer

__all__ = [
    "ByEye",
    "Choosing",
    "Share",
    "Steering",
    "score",
    "sheets",
    "steer",
    "table",
    "train_chooser",
    "wilson",
]
