"""A labelled and an unlabelled generator, exported once for all tests in here."""

from __future__ import annotations

import pytest
from tiny_models import HEIGHT, LATENT, SCHEMA, WIDTH, shaken

from tfanime.models import GENERATORS, UPSCALERS
from tfanime.zoo.saved import Truncation, save_generator, save_upscaler, store_truncation


@pytest.fixture(scope="session")
def runs(tmp_path_factory):
    """Run folders: `girls` (labels), `plain` (none) and `larger` (an upscaler)."""
    folder = tmp_path_factory.mktemp("runs")
    labelled = GENERATORS["modern"](HEIGHT, WIDTH, LATENT, SCHEMA.size, channels=4)
    save_generator(folder / "girls", shaken(labelled), SCHEMA, "girls")
    store_truncation(folder / "girls", Truncation(0.6))
    plain = GENERATORS["dcgan"](32, 32, LATENT, 0, channels=4)
    save_generator(folder / "plain", shaken(plain), None, "plain")
    larger = UPSCALERS["srgan"](32, 32, factor=2, channels=4, blocks=1)
    save_upscaler(folder / "larger", shaken(larger), 2, "larger")
    return folder


@pytest.fixture(scope="session")
def exported(runs, tmp_path_factory):
    """The folder that a server would be started with, and what the export said of each."""
    from tfanime.export.serving.saved_model import export_saved_model

    out = tmp_path_factory.mktemp("serving")
    girls = export_saved_model(runs / "girls", out / "girls", upscaler=runs / "larger", most=10)
    return out, girls, export_saved_model(runs / "plain", out / "plain" / "3")


@pytest.fixture(scope="session")
def server(exported):
    from model_server import ModelServer

    with ModelServer(exported[0]) as running:
        yield running
