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

from tfanime import keras_objects
from tfanime.core import quiet
from tfanime.version import __version__ as __version__

if TYPE_CHECKING:
    from tfanime import collect, gans, prepare, recipes, text
    from tfanime.core.labels import Field, LabelSchema
    from tfanime.data import from_arrays
    from tfanime.editing.character_sheet import character_sheet
    from tfanime.editing.directions import find_directions
    from tfanime.editing.encoder import train_encoder
    from tfanime.editing.invert import invert
    from tfanime.editing.mix import mix
    from tfanime.evaluation.evaluate import evaluate
    from tfanime.export.everything import export_all
    from tfanime.export.files.portable import export_litert, export_onnx
    from tfanime.export.hub import push
    from tfanime.export.serving.saved_model import export_saved_model
    from tfanime.export.web.export import export_web
    from tfanime.posters.poster import poster
    from tfanime.prepare.faces import crop_faces
    from tfanime.prepare.load import load_data
    from tfanime.prepare.pack import pack
    from tfanime.prepare.posters import pack_posters
    from tfanime.sampling.generate import generate
    from tfanime.sampling.imagine import imagine
    from tfanime.sampling.interpolate import interpolate
    from tfanime.sampling.load import load
    from tfanime.sampling.upscale import upscale
    from tfanime.tagging.tags import estimate_tags
    from tfanime.training.fine_tune import fine_tune
    from tfanime.training.sweep import sweep
    from tfanime.training.train import train
    from tfanime.training.truncation import truncate_styles
    from tfanime.zoo.saved import load_generator, load_upscaler

__all__ = [
    "Field",
    "LabelSchema",
    "character_sheet",
    "collect",
    "crop_faces",
    "estimate_tags",
    "evaluate",
    "export_all",
    "export_litert",
    "export_onnx",
    "export_saved_model",
    "export_web",
    "find_directions",
    "fine_tune",
    "from_arrays",
    "gans",
    "generate",
    "imagine",
    "interpolate",
    "invert",
    "load",
    "load_data",
    "load_generator",
    "load_upscaler",
    "mix",
    "pack",
    "pack_posters",
    "poster",
    "prepare",
    "push",
    "recipes",
    "sweep",
    "text",
    "train",
    "train_encoder",
    "truncate_styles",
    "upscale",
]

# Public name -> the module it lives in and its name there.
_FUNCTIONS = {
    "Field": ("tfanime.core.labels", "Field"),
    "LabelSchema": ("tfanime.core.labels", "LabelSchema"),
    "character_sheet": ("tfanime.editing.character_sheet", "character_sheet"),
    "crop_faces": ("tfanime.prepare.faces", "crop_faces"),
    "estimate_tags": ("tfanime.tagging.tags", "estimate_tags"),
    "evaluate": ("tfanime.evaluation", "evaluate"),
    "export_all": ("tfanime.export.everything", "export_all"),
    "export_litert": ("tfanime.export.files.portable", "export_litert"),
    "export_onnx": ("tfanime.export.files.portable", "export_onnx"),
    "export_saved_model": ("tfanime.export.serving.saved_model", "export_saved_model"),
    "export_web": ("tfanime.export.web.export", "export_web"),
    "find_directions": ("tfanime.editing.directions", "find_directions"),
    "fine_tune": ("tfanime.training.fine_tune", "fine_tune"),
    "from_arrays": ("tfanime.data", "from_arrays"),
    "generate": ("tfanime.sampling.generate", "generate"),
    "imagine": ("tfanime.sampling.imagine", "imagine"),
    "interpolate": ("tfanime.sampling.interpolate", "interpolate"),
    "invert": ("tfanime.editing.invert", "invert"),
    "load_data": ("tfanime.prepare.load", "load_data"),
    "load": ("tfanime.sampling.load", "load"),
    "load_generator": ("tfanime.zoo.saved", "load_generator"),
    "load_upscaler": ("tfanime.zoo.saved", "load_upscaler"),
    "mix": ("tfanime.editing.mix", "mix"),
    "pack": ("tfanime.prepare.pack", "pack"),
    "poster": ("tfanime.posters.poster", "poster"),
    "pack_posters": ("tfanime.prepare.posters", "pack_posters"),
    "push": ("tfanime.export.hub", "push"),
    "sweep": ("tfanime.training.sweep", "sweep"),
    "train": ("tfanime.training.train", "train"),
    "train_encoder": ("tfanime.editing.encoder", "train_encoder"),
    "truncate_styles": ("tfanime.training.truncation", "truncate_styles"),
    "upscale": ("tfanime.sampling.upscale", "upscale"),
}
_MODULES = ("collect", "gans", "prepare", "recipes", "text")

quiet.install()
keras_objects.install()


if not TYPE_CHECKING:  # to a type checker every name would be one of ours

    def __getattr__(name: str):
        if name in _MODULES:
            return importlib.import_module(f"tfanime.{name}")
        if name in _FUNCTIONS:
            module, attribute = _FUNCTIONS[name]
            return getattr(importlib.import_module(module), attribute)
        raise AttributeError(f"module 'tfanime' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
