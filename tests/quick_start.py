"""Importing this, before TensorFlow, makes processes of tests start in two thirds of the time.

Scripts of tests that run in processes of their own, and are not about Keras's import, import it
first: Keras then passes over what it imports for others (`tfanime.core.lean`).
"""

from tfanime.core import lean

lean.install()
