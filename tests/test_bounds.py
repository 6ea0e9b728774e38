"""What a run from elsewhere claims is checked before anything is allocated for it."""

import io
import json
import shutil
import tracemalloc
import zipfile

import h5py
import keras
import numpy as np
import pytest
from click.testing import CliRunner

import tfanime
from tfanime import cli, zoo
from tfanime.core import bounds, later
from tfanime.core.files import read_json, save_arrays, write_json
from tfanime.core.labels import Field, LabelSchema
from tfanime.models import GENERATORS
from tfanime.text.vector_cache import KeptTexts
from tfanime.zoo import saved

HAIR = LabelSchema((Field("hair", "group", ("red", "blue")),))


@pytest.fixture
def run(tmp_path):
    """A small generator without labels."""
    network = GENERATORS["dcgan"](16, 16, 4, 0, channels=2)
    saved.save_generator(tmp_path / "run", network, None, "small")
    return tmp_path / "run"


@pytest.fixture
def labelled(tmp_path):
    network = GENERATORS["dcgan"](16, 16, 4, 2, channels=2)
    saved.save_generator(tmp_path / "labelled", network, HAIR, "small")
    return tmp_path / "labelled"


def changed(path, change, member="config.json"):
    """A .keras file whose description, or weights, went through `change`."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    if member == "config.json":
        config = json.loads(parts[member])
        change(config)
        parts[member] = json.dumps(config).encode()
    else:
        parts[member] = change(parts[member])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)


def layer(config, kind):
    return next(x for x in config["config"]["layers"] if x["class_name"] == kind)["config"]


# ---- generator.json ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "no JSON object"),
        ("null", "no JSON object"),
        ('{"name": "x"', "no JSON"),
        ("\udcff", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("{}", "a kind .* and a name"),
        ('{"name": "x"}', "lacks the key 'schema'"),
        ('{"name": 7, "schema": null}', "a kind .* and a name"),
        ('{"name": "x", "kind": "virus", "schema": null}', "a kind .* and a name"),
        ('{"name": "x", "schema": 7}', "list of fields"),
        ('{"name": "x", "schema": {"fields": [7]}}', "list of fields"),
        ('{"name": "x", "schema": {"fields": [{"name": "v"}]}}', "a name, a kind"),
        ('{"name": "x", "schema": {"fields": [{"name": "v", "kind": "cat"}]}}', "kind is one of"),
    ],
)
def test_a_description_that_is_none_is_one_sentence(run, text, said):
    (run / "generator.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    for read in (saved.load_generator, saved.load_schema):
        with pytest.raises(ValueError, match=said) as caught:
            read(run)
        assert str(run / "generator.json") in str(caught.value)
        assert "\n" not in str(caught.value)


def test_sizes_in_a_description_are_bounded(run):
    """A terabyte from one line: every label has a name, a column and a place in a row."""
    stored = read_json(run / "generator.json")
    field = {"name": "v", "kind": "vector", "length": 10**12}
    write_json(run / "generator.json", stored | {"schema": {"fields": [field]}})
    tracemalloc.start()
    done = CliRunner().invoke(cli.main, ["generate", str(run), "--grid", str(run / "x.png")])
    used = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert done.exit_code == 1 and "at most 65,536 columns, not 1,000,000,000,000" in done.stderr
    assert used < 50e6
    (run / "generator.json").write_text(" " * (bounds.JSON_BYTES + 1))
    with pytest.raises(ValueError, match="more than 67,108,864 bytes"):
        saved.load_schema(run)


@pytest.mark.parametrize("frequencies", [[0.5], [float("nan"), 0.5], ["a", "b"]])
def test_frequencies_that_do_not_fit_their_field(labelled, frequencies):
    stored = read_json(labelled / "generator.json")
    stored["schema"]["fields"][0]["frequencies"] = frequencies
    write_json(labelled / "generator.json", stored)
    with pytest.raises(ValueError, match="do not fit"):
        saved.load_schema(labelled)


def test_a_schema_that_is_not_the_networks_is_refused(run, labelled):
    one, other = (read_json(folder / "generator.json") for folder in (run, labelled))
    write_json(run / "generator.json", one | {"schema": other["schema"]})
    with pytest.raises(ValueError, match="says 2 inputs and .* a network without labels"):
        tfanime.generate(run, n=1)
    write_json(labelled / "generator.json", other | {"schema": None})
    with pytest.raises(ValueError, match="says 1 inputs and .* with 2 inputs"):
        tfanime.generate(labelled, n=1)
    more = LabelSchema((*HAIR.fields, Field("smile", "flag"))).to_json()
    write_json(labelled / "generator.json", other | {"schema": more})
    with pytest.raises(ValueError, match="describes 3 labels and generator.keras takes 2"):
        tfanime.generate(labelled, n=1)


def test_an_upscaler_enlarges_as_it_says(tmp_path):
    picture = keras.Input((None, None, 3))
    network = keras.Model(picture, keras.layers.UpSampling2D(2)(picture))
    saved.save_upscaler(tmp_path / "larger", network, 2, "larger")
    assert saved.load_upscaler(tmp_path / "larger").factor == 2
    stored = read_json(tmp_path / "larger" / "generator.json")
    write_json(tmp_path / "larger" / "generator.json", stored | {"factor": 4})
    with pytest.raises(ValueError, match="says the factor 4"):
        saved.load_upscaler(tmp_path / "larger")
    for factor in (10**9, None, "2"):
        write_json(tmp_path / "larger" / "generator.json", stored | {"factor": factor})
        with pytest.raises(ValueError, match=r"where \(2, 4\) are possible"):
            saved.load_upscaler(tmp_path / "larger")


# ---- generator.keras ---------------------------------------------------------------------------


@pytest.mark.parametrize("length", [0, 10, 1000, -1])
def test_a_network_cut_short_is_one_sentence(run, length):
    path = run / "generator.keras"
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(ValueError, match="is damaged and cannot be read") as caught:
        saved.load_generator(run)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_layers_of_more_weights_than_are_stored(run, monkeypatch):
    """40 GB: they are not even drawn at random."""
    monkeypatch.setattr(keras.saving, "load_model", None)
    changed(run / "generator.keras", lambda config: layer(config, "Dense").update(units=10**10))
    with pytest.raises(ValueError, match="damaged"):
        saved.load_generator(run)
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8), keras.layers.Dense(3)])
    network.save(run / "generator.keras")

    def wide(config):
        first, second = (x for x in config["config"]["layers"] if x["class_name"] == "Dense")
        first["config"]["units"] = 10**10
        second["build_config"] = {"input_shape": [None, 10**10]}

    changed(run / "generator.keras", wide)
    with pytest.raises(ValueError, match="have 80,000,000,003 weights, and 67 are stored"):
        bounds.load_network(run / "generator.keras")


def test_what_ships_is_trusted_and_a_copy_of_it_is_checked(run, tmp_path, monkeypatch):
    (run / "MODEL_CARD.md").write_text("# Run")
    monkeypatch.setattr(zoo.shipped, "PLACES", (run.parent,))
    copy = shutil.copytree(run, tmp_path / "elsewhere" / "run")
    checked = []
    monkeypatch.setattr(bounds, "_check_network", checked.append)
    saved.load_generator("run")
    assert checked == []
    saved.load_generator(copy)
    assert checked == [copy / "generator.keras"]


def test_options_that_earlier_versions_of_keras_refuse_are_left_out(monkeypatch):
    """Keras 3.12 refuses options that it does not know; those that say something stay."""
    seen = []
    read = keras.saving.deserialize_keras_object

    def noted(config, **options):
        seen.append(json.dumps(config))
        return read(config, **options)

    monkeypatch.setattr(keras.saving, "deserialize_keras_object", noted)
    path = zoo.path("faces-64") / "generator.keras"
    with zipfile.ZipFile(path) as archive:
        stored = archive.read("config.json").decode()
    bounds.load_network(path, ours=True)
    for option in ("quantization_config", "input_axes", "renorm_momentum"):
        assert option in stored and option not in seen[0]
    norm = keras.layers.BatchNormalization(momentum=0.5).get_config() | {"renorm": True}
    bounds.without_values(
        keras.saving.serialize_keras_object(keras.Sequential([keras.Input((2,))])) | {"note": norm}
    )
    assert '"renorm": true' in seen[-1] and '"renorm_momentum"' not in seen[-1]


@pytest.mark.parametrize("name", [zoo.DEFAULT, "posters", "upscaler-2x"])
def test_what_ships_is_read_as_keras_reads_it(name):
    path = zoo.path(name) / "generator.keras"
    ours, kerass = bounds.load_network(path, ours=True), later.load_model(path)
    assert ours.get_config() == kerass.get_config()
    assert ours.compiled == kerass.compiled
    pairs = list(zip(ours.variables, kerass.variables, strict=True))
    assert pairs
    for one, other in pairs:
        assert one.path == other.path and one.trainable == other.trainable
        np.testing.assert_array_equal(one.numpy(), other.numpy())


def test_a_layer_that_ships_without_its_weights_is_refused(run):
    def without(data):
        file = io.BytesIO(data)
        with h5py.File(file, "r+") as weights:
            del weights["layers/dense"]
        return file.getvalue()

    changed(run / "generator.keras", without, "model.weights.h5")
    with pytest.raises(ValueError, match="is damaged and cannot be read"):
        bounds.load_network(run / "generator.keras", ours=True)


def test_a_layer_that_ships_with_weights_of_another_shape_is_refused(run):
    def cut(data):
        file = io.BytesIO(data)
        with h5py.File(file, "r+") as weights:
            kernel = weights["layers/dense/vars"].pop("0")[()]
            weights["layers/dense/vars/0"] = kernel[:-1]
        return file.getvalue()

    changed(run / "generator.keras", cut, "model.weights.h5")
    with pytest.raises(ValueError, match="has weights of shapes .*, and others are stored"):
        bounds.load_network(run / "generator.keras", ours=True)


def test_no_weights_are_drawn_that_stored_ones_replace(monkeypatch):
    def drawn(*_, **__):
        raise AssertionError("an initialiser was asked")

    monkeypatch.setattr(keras.initializers.VarianceScaling, "__call__", drawn)
    bounds.load_network(zoo.path("upscaler-2x") / "generator.keras", ours=True)
    with pytest.raises(AssertionError, match="an initialiser was asked"):
        later.load_model(zoo.path("upscaler-2x") / "generator.keras")


@pytest.mark.parametrize("sides", [(16, 16), (None, None)])
def test_layers_that_compute_too_much(tmp_path, sides):
    """No weights at all, and gigabytes a picture: 16x16, or any, enlarged 400-fold."""
    picture = keras.Input((*sides, 3))
    network = keras.Model(picture, keras.layers.UpSampling2D(400)(picture))
    network.save(tmp_path / "a.keras")
    with pytest.raises(ValueError, match="'up_sampling2d.*' computes .* numbers for an image"):
        bounds.load_network(tmp_path / "a.keras")


def claiming(size):
    """The weights of a network, one of which claims to be `size` numbers and holds none."""

    def change(data):
        file = io.BytesIO(data)
        with h5py.File(file, "r+") as weights:
            name = "layers/dense/vars/0"
            del weights[name]
            weights.create_dataset(name, shape=(size,), dtype="f4", chunks=(2**20,))
        return file.getvalue()

    return change


def test_hdf5_shapes_are_bounded(run):
    changed(run / "generator.keras", claiming(10**9), "model.weights.h5")
    with pytest.raises(ValueError, match="its weights would unpack to 4,000,"):
        saved.load_generator(run)


def test_archives_that_unpack_to_too_much(run, tmp_path):
    with zipfile.ZipFile(run / "generator.keras", "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("assets/zeros", bytes(40 * 2**20))
    with pytest.raises(ValueError, match="it would unpack to 4"):
        saved.load_generator(run)
    save_arrays(tmp_path / "a.npz", {"a": np.zeros(5 * 2**20)}, compressed=True)
    with pytest.raises(ValueError, match="a.npz' is damaged .*it would unpack to 41,9"):
        bounds.read_arrays(tmp_path / "a.npz")


def test_array_shapes_are_bounded(tmp_path):
    path = tmp_path / "a.npz"
    save_arrays(path, {"a": np.zeros(10)})
    assert bounds.read_arrays(path)["a"].shape == (10,)
    header = {"descr": "<f8", "fortran_order": False, "shape": (10**12,)}
    with zipfile.ZipFile(path, "w") as archive, archive.open("a.npy", "w") as member:
        np.lib.format.write_array_header_1_0(member, header)
    with pytest.raises(ValueError, match="a.npz' is damaged .*shorter than its shape"):
        bounds.read_arrays(path)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="a.npz' is damaged"):
        bounds.read_arrays(path)
    with pytest.raises(ValueError, match="none.npz' is damaged .*No such file"):
        bounds.read_arrays(tmp_path / "none.npz")


@keras.saving.register_keras_serializable("of_a_user")
class Doubled(keras.layers.Layer):
    """Makes a variable from an array, as a network without values cannot."""

    def __init__(self, **options):
        super().__init__(**options)
        self.factor = keras.Variable(np.float32(2.0), trainable=False)

    def call(self, x):
        return x * self.factor


def test_a_users_own_layers_are_loaded(tmp_path):
    latents = keras.Input((4,))
    x = keras.layers.Dense(12, activation="tanh")(Doubled()(latents))
    network = keras.Model(latents, keras.layers.Reshape((2, 2, 3))(x))
    saved.save_generator(tmp_path, network, None, "own")
    z = np.ones((2, 4), np.float32)
    np.testing.assert_allclose(saved.load_generator(tmp_path)(z), network(z), atol=1e-6)


def test_what_ships_is_within_the_bounds():
    for name in ("faces-64", "upscaler"):
        load = saved.load_upscaler if name == "upscaler" else saved.load_generator
        assert load(name).model.count_params() > 0


def test_kept_texts_name_no_files_outside(tmp_path):
    folder = tmp_path / "run" / "text"
    folder.mkdir(parents=True)
    (folder / "rows.jsonl").write_text("{}\n")
    write_json(folder / "order.json", ["../../elsewhere"])
    with pytest.raises(ValueError, match="the name of a text is a word"):
        KeptTexts.open(tmp_path / "run")
