"""Posters: a draft, a figure and type composed. `tfanime.poster` is the way in."""
