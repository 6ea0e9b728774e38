"""Editing: directions of a model's latent space, the place of a picture in it, character sheets."""
