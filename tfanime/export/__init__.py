"""Publishing a trained generator: as a web page that computes on the visitor's machine."""
