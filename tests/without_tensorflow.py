"""Importing this makes `import tensorflow` fail, as where it is not installed."""

import sys
from importlib.abc import MetaPathFinder


class NoTensorFlow(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "tensorflow":
            raise ModuleNotFoundError("No module named 'tensorflow'", name=name)
        return None


sys.meta_path.insert(0, NoTensorFlow())
