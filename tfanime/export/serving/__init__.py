"""A SavedModel for TensorFlow Serving: its module, signatures and warm-up requests."""
