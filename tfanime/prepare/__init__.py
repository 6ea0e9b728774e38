"""From images as they come to a packed dataset: checking, packing, and the drawn faces."""
