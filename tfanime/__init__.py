"""tfanime: train, judge and publish GANs that draw anime faces and posters.

    import tfanime

    data = tfanime.load_data("drawn", size=64)
    run = tfanime.train("dcgan", data, steps=2000, out="runs/first")
    faces = tfanime.generate("runs/first", n=16, seed=7)

The names below are loaded when they are first used: importing tfanime loads neither TensorFlow
nor Keras.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from tfanime import _layers, _quiet

if TYPE_CHECKING:
    from tfanime import collect, gans, recipes, text
    from tfanime.data import from_arrays, load_data
    from tfanime.evaluation import evaluate
    from tfanime.export.everything import export_all
    from tfanime.export.portable import export_litert, export_onnx
    from tfanime.export.saved_model import export_saved_model
    from tfanime.export.web import export_web
    from tfanime.generation import generate, interpolate
    from tfanime.hub import push
    from tfanime.imagination import imagine
    from tfanime.labels import Field, LabelSchema
    from tfanime.prepare.faces import crop_faces
    from tfanime.prepare.pack import pack
    from tfanime.prepare.posters import pack_posters
    from tfanime.prepare.tags import estimate_tags
    from tfanime.saved import load, load_generator, load_upscaler
    from tfanime.training.fine_tune import fine_tune
    from tfanime.training.sweep import sweep
    from tfanime.training.train import train
    from tfanime.upscaling import upscale

__version__ = "0.2.0"

__all__ = [
    "Field",
    "LabelSchema",
    "collect",
    "crop_faces",
    "estimate_tags",
    "evaluate",
    "export_all",
    "export_litert",
    "export_onnx",
    "export_saved_model",
    "export_web",
    "fine_tune",
    "from_arrays",
    "gans",
    "generate",
    "imagine",
    "interpolate",
    "load",
    "load_data",
    "load_generator",
    "load_upscaler",
    "pack",
    "pack_posters",
    "prepare",
    "push",
    "recipes",
    "sweep",
    "text",
    "train",
    "upscale",
]

# Public name -> the module it lives in and its name there.
_FUNCTIONS = {
    "Field": ("tfanime.labels", "Field"),
    "LabelSchema": ("tfanime.labels", "LabelSchema"),
    "crop_faces": ("tfanime.prepare.faces", "crop_faces"),
    "estimate_tags": ("tfanime.prepare.tags", "estimate_tags"),
    "evaluate": ("tfanime.evaluation", "evaluate"),
    "export_all": ("tfanime.export.everything", "export_all"),
    "export_litert": ("tfanime.export.portable", "export_litert"),
    "export_onnx": ("tfanime.export.portable", "export_onnx"),
    "export_saved_model": ("tfanime.export.saved_model", "export_saved_model"),
    "export_web": ("tfanime.export.web", "export_web"),
    "fine_tune": ("tfanime.training.fine_tune", "fine_tune"),
    "from_arrays": ("tfanime.data", "from_arrays"),
    "generate": ("tfanime.generation", "generate"),
    "imagine": ("tfanime.imagination", "imagine"),
    "interpolate": ("tfanime.generation", "interpolate"),
    "load": ("tfanime.saved", "load"),
    "load_data": ("tfanime.data", "load_data"),
    "load_generator": ("tfanime.saved", "load_generator"),
    "load_upscaler": ("tfanime.saved", "load_upscaler"),
    "pack": ("tfanime.prepare.pack", "pack"),
    "pack_posters": ("tfanime.prepare.posters", "pack_posters"),
    "push": ("tfanime.hub", "push"),
    "sweep": ("tfanime.training.sweep", "sweep"),
    "train": ("tfanime.training.train", "train"),
    "upscale": ("tfanime.upscaling", "upscale"),
}
_MODULES = ("collect", "gans", "prepare", "recipes", "text")

_quiet.install()
_layers.install()


def __getattr__(name: str):
    if name in _MODULES:
        return importlib.import_module(f"tfanime.{name}")
    if name in _FUNCTIONS:
        module, attribute = _FUNCTIONS[name]
        return getattr(importlib.import_module(module), attribute)
    raise AttributeError(f"module 'tfanime' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
