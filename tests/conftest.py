"""What all tests share: how TensorFlow computes in their processes, and which files come first."""

import contextlib
import functools
import gc
import os
import sqlite3
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent

if "PYTEST_XDIST_WORKER" in os.environ:  # a process a core or more: threads would only wait
    for name in ("OMP_NUM_THREADS", "TF_NUM_INTEROP_THREADS", "TF_NUM_INTRAOP_THREADS"):
        os.environ.setdefault(name, "1")
# XLA compiles for far longer than it computes here. At level 0 it rounds where graphs do not.
os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=1")

# The longest files first. A process takes the next file when it is done with one: begun last, these
# would be what the other processes wait for at the end. What is not in here takes a few seconds.
LONGEST = (
    "recipes/test_battery.py",
    "web/test_site.py",
    "training/test_workers.py",
    "recipes/test_jax.py",
    "serving/test_saved_model.py",  # and with it all files of serving/
    "web/test_poster_view.py",
    "web/test_wander.py",
    "web/test_site_trouble.py",
    "web/test_wander_addresses.py",
    "evaluation/test_steer.py",
    "training/test_train.py",
    "recipes/test_recipes.py",
    "test_zoo.py",
    "web/test_visits.py",
    "web/test_site_own.py",
    "web/test_site_choosing.py",
    "gans/test_gan.py",
    "training/test_start.py",
    "web/test_site_start.py",
    "web/test_site_directions.py",
    "web/test_phrases_read.py",
    "test_start_notebooks.py",
    "test_packaging.py",
    "training/test_gpu_bundle.py",
    "training/test_jax_run.py",
    "test_package.py",
    "export/test_web.py",
    "web/test_graph.py",
    "web/test_exported.py",
    "web/test_threads.py",
    "web/test_site_models.py",
    "web/test_choosing_elsewhere.py",
    "evaluation/test_evaluate.py",
    "training/test_upscaler.py",
    "frozen/test_load.py",
    "web/test_site_styles.py",
    "text/test_bert.py",
    "text/test_attach.py",
    "training/test_evaluation.py",
    "test_guides.py",
    "models/test_models.py",
    "test_hub.py",
    "export/test_portable.py",
    "training/test_start_steered.py",
    "editing/test_encoding.py",
    "gans/test_saving.py",
    "tagging/test_training.py",
    "editing/test_inverting.py",
    "test_imagination.py",
    "recipes/test_texts.py",
    "models/test_projected.py",
    "words/test_words.py",
    "recipes/test_bench_train.py",
    "training/test_fine_tune.py",
    "training/test_start_grown.py",
    "training/test_checkpoint.py",
    "collect/test_resume.py",
    "collect/test_http.py",
)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """One process takes all files of tests/serving, whose models it then exports once."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class Files(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return "serving" if "tests/serving/" in nodeid else super()._split_scope(nodeid)

    return Files(config, log)


class Hasty(sqlite3.Connection):
    """Its transactions wait for no disk, whatever it is told."""

    def execute(self, statement, *values):
        if statement.startswith("PRAGMA synchronous="):
            statement = "PRAGMA synchronous=OFF"
        return super().execute(statement, *values)


@pytest.fixture(scope="session", autouse=True)
def _no_waiting_for_disks():
    """Writing to the disk at once is for power cuts, which no test makes: other processes see a
    file whole without it. SQLite has its own way to the disk, a dozen times a database."""
    patch = pytest.MonkeyPatch()
    patch.setattr(os, "fsync", lambda handle: None)
    connect = sqlite3.connect

    def connect_hastily(*given, **named):
        found = connect(*given, **{"factory": Hasty, **named})
        with contextlib.suppress(sqlite3.Error):  # which the next statement meets as well
            found.execute("PRAGMA synchronous=OFF")
        return found

    patch.setattr(sqlite3, "connect", connect_hastily)
    yield
    patch.undo()


@pytest.fixture(scope="module", autouse=True)
def _nothing_stays():
    """Graphs, compiled functions and networks hold each other. Over the whole suite they would take
    gigabytes, through which every collection of garbage goes again."""
    yield
    if "keras" in sys.modules:
        sys.modules["keras"].backend.clear_session(free_memory=False)
        gc.collect()
        gc.freeze()  # modules above all, which are not looked through again


@pytest.fixture(scope="module")
def eager():
    """Steps without a graph, and no curves: to trace the one and to draw the others takes as long
    as a dozen steps of tiny networks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tfanime.gans.backend.compiled", lambda gan: gan.train_step)
        patch.setattr("tfanime.training.trainer.draw_curves", lambda run: None)
        yield


@pytest.fixture(scope="module")
def judges_once():
    """Extractors and taggers of Keras files are loaded once for a file of tests, which asks for
    the shipped one all the time: loading it, and tracing its graph, takes as long as judging."""
    from tfanime.metrics import features

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(features, "keras_network", functools.cache(features.keras_network))
        yield


@pytest.fixture(scope="module")
def models_once():
    """Models are loaded once for a file of tests, which draw with the same ones all the time, by
    their names or folders."""
    from tfanime.zoo import saved

    with pytest.MonkeyPatch.context() as patch:
        for name in ("load_generator", "load_upscaler"):
            patch.setattr(saved, name, functools.cache(getattr(saved, name)))
        yield


@pytest.fixture(scope="module")
def encoders_once():
    """Text encoders of a folder are loaded once for a file of tests, which ask for the same tiny
    one all the time: loading it, and calling it first, takes a second."""
    from tfanime.text import bert

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bert, "_load", functools.cache(bert._load))
        yield


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """What importing makes stays: to look for garbage among it takes a tenth of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items):
    place = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.relative_to(HERE).as_posix(), len(place)))
