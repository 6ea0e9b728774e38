"""What is on a face: attributes estimated by a small network, and how that network is made.

tagger = load_tagger()
tagger.tags(images)      # [{"hair": "blue", "smile": True, ...}, ...]
"""

from tfanime.tagging.load import load_tagger
from tfanime.tagging.tagger import LABELS, THRESHOLD, WEIGHTS, Tagger, decide, probabilities_of

__all__ = [
    "LABELS",
    "THRESHOLD",
    "WEIGHTS",
    "Tagger",
    "decide",
    "load_tagger",
    "probabilities_of",
]
