"""From a trained generator to images: by labels, between two points, by words, enlarged."""
