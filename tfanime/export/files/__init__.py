"""A generator as one file for other runtimes."""
