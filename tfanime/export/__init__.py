"""Publishing a trained generator: as a web page that computes on the visitor's machine, as a
SavedModel for TensorFlow Serving, and as a file for LiteRT or ONNX.
"""
