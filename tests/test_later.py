"""Networks that a later Keras wrote."""

import json
import zipfile

import keras
import numpy as np
import pytest
from click.testing import CliRunner

from tfanime import cli
from tfanime.core import bounds, later
from tfanime.frozen import load_frozen
from tfanime.metrics.features import load_extractor
from tfanime.zoo import saved

LATER = "99.1.0"


def written_later(path, option, version=LATER):
    """A .keras file as that version writes it: every layer has an option that is not known here."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config, metadata = (json.loads(parts[name]) for name in (later.CONFIG, later.METADATA))
    for layer in config["config"]["layers"]:
        layer["config"]["of_later"] = option
    parts[later.CONFIG] = json.dumps(config).encode()
    parts[later.METADATA] = json.dumps(metadata | {"keras_version": version}).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


@pytest.fixture
def network(tmp_path):
    keras.utils.set_random_seed(0)
    picture = keras.Input((16, 16, 3))
    x = keras.layers.Conv2D(4, 3, name="conv")(picture)
    model = keras.Model(picture, keras.layers.GlobalAveragePooling2D()(x))
    model.save(tmp_path / "network.keras")
    return model, tmp_path / "network.keras"


READERS = {
    "network": bounds.load_network,
    "extractor": load_extractor,
    "frozen network": lambda path: load_frozen(str(path), 16, 16),
}


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_options_that_say_nothing_are_passed_over(network, monkeypatch, read):
    model, path = network
    written_later(path, None)
    stored = path.read_bytes()
    monkeypatch.setitem(later.OPTIONS, "of_later", None)
    found = read(path)
    if isinstance(found, keras.Model):
        for mine, own in zip(found.get_weights(), model.get_weights(), strict=True):
            np.testing.assert_array_equal(mine, own)
    assert path.read_bytes() == stored


@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_other_options_are_refused_in_a_sentence(network, read):
    path = network[1]
    written_later(path, "mirrored")
    with pytest.raises(ValueError) as caught:
        read(path)
    assert (
        f"{str(path)!r} was written by Keras 99.1.0 and says what Keras {keras.__version__}, which "
        "is installed, does not know; install Keras 99.1.0 or later, which needs Python 3.11 or "
        "later." in str(caught.value)
    )
    assert "\n" not in str(caught.value)


def test_the_command_line_says_so_without_a_traceback(tmp_path):
    latents = keras.Input((4,))
    image = keras.layers.Reshape((2, 2, 3))(keras.layers.Dense(12, activation="tanh")(latents))
    saved.save_generator(tmp_path / "run", keras.Model(latents, image), None, "small")
    written_later(tmp_path / "run" / "generator.keras", "mirrored")
    result = CliRunner().invoke(cli.main, ["generate", str(tmp_path / "run"), "--grid", "a.png"])
    assert result.exit_code == 1
    assert "was written by Keras 99.1.0" in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("version", [keras.__version__, "3.0.0", 7, None])
def test_a_file_of_no_later_keras_is_damaged(network, version):
    path = network[1]
    written_later(path, "mirrored", version)
    with pytest.raises(ValueError, match="is damaged and cannot be read") as caught:
        bounds.load_network(path)
    assert "\n" not in str(caught.value)


def test_an_extractor_that_is_no_network_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "a.keras").write_bytes(b"none")
    with pytest.raises(ValueError, match="a.keras' is damaged and cannot be read") as caught:
        load_extractor(tmp_path / "a.keras")
    assert "\n" not in str(caught.value)
