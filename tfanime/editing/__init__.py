"""Editing: directions of a model's latent space, the place of an image in it, character sheets."""
