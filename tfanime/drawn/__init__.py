"""The built-in images: anime faces drawn from attributes and a seed, without any data."""
