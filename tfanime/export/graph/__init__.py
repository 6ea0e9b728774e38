"""The generator as a plain graph: read, rewritten, rounded, compared with the trained one."""
