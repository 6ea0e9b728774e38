"""What runs inside an exported SavedModel, as TensorFlow graph operations.

`seeds` is the map of `tfanime.core.seeds`, `words` reads and writes attributes, `checks` refuses
what cannot be drawn, `module` has the signatures. Nothing in here runs Python when a request comes.
"""
