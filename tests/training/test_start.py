"""Beginning with the weights of a run, or of a model that ships."""

import shutil

import numpy as np
import pytest
from runs import arrays_of

import tfanime
from tests.frozen_twin import through_it
from tfanime import recipes, zoo
from tfanime.core.images import save_image
from tfanime.core.labels import MAKEGIRLSMOE, Field, LabelSchema
from tfanime.drawn.faces import draw_faces
from tfanime.training import checkpoint
from tfanime.training.build import build_gan
from tfanime.training.plan import check_plan
from tfanime.training.run_config import described, generator_of, plain_networks, without_values
from tfanime.training.warm_start import check_fit, save_critic, start_from
from tfanime.zoo.saved import save_generator

TINY = {"generator": {"channels": 4}, "discriminator": {"channels": 4}, "batch_size": 8}
# A discriminator that looks through a frozen network, to which `start` gives no weights.
THROUGH_TWIN = recipes.get("modern").override(
    recipe="mine",
    discriminator={"name": "projected", "pixel_channels": 4, **through_it()},
    loss="hinge",
    penalty="none",
    joint_batch=True,
)
PARTS = ("generator/", "ema_generator/", "discriminator/", "head/")


pytestmark = pytest.mark.usefixtures("eager")


@pytest.fixture(scope="module")
def first(eager, faces, tmp_path_factory):
    """The run to begin with; tests only read it."""
    out = tmp_path_factory.mktemp("start") / "first"
    options = {**TINY, "tensorboard": False, "progress": False}
    return tfanime.train(THROUGH_TWIN, faces, out=out, steps=2, **options)


def of(arrays, *parts):
    return {name: array for name, array in arrays.items() if name.startswith(parts)}


def test_a_run_begins_with_the_networks_of_another_and_fresh_optimisers(first, train, faces):
    second = train(THROUGH_TWIN, faces, "second", steps=1, start=str(first.path))
    begun, *_ = map(arrays_of, checkpoint.checkpoints(second.path))
    source = arrays_of(checkpoint.checkpoints(first.path)[-1])
    for name, array in of(source, *PARTS).items():
        np.testing.assert_array_equal(begun[name], array, err_msg=name)
    moments = of(source, "g_optimizer/").values()
    assert any(np.abs(array).max() > 0 for array in moments if array.ndim > 1)
    assert all(not array.any() for array in of(begun, "g_optimizer/").values() if array.ndim > 1)
    assert begun["gan/0000"] == 0


def test_the_average_leaves_that_of_the_start_at_its_half_life(first, train, faces):
    """Without warm-up: it is the average of a trained generator already."""
    second = train(THROUGH_TWIN, faces, "second", steps=1, start=str(first.path), ema_half_life=24)
    before, after = (arrays_of(one) for one in checkpoint.checkpoints(second.path))
    for name in of(before, "ema_generator/"):
        current = after[name.removeprefix("ema_")]
        expected = current + 0.5 ** (8 / 24) * (before[name] - current)
        np.testing.assert_allclose(after[name], expected, atol=1e-6, err_msg=name)


@pytest.mark.slow
def test_a_run_that_is_continued_does_not_begin_again(dcgan, train, faces):
    start = str(dcgan[0])
    train("dcgan", faces, "second", steps=1, start=start)
    whole = train("dcgan", faces, "second", steps=2, start=start)
    straight = train("dcgan", faces, "straight", steps=2, start=start)
    ends = [arrays_of(checkpoint.checkpoints(run.path)[-1]) for run in (whole, straight)]
    for name, array in ends[0].items():
        np.testing.assert_array_equal(array, ends[1][name], err_msg=name)


@pytest.mark.slow
def test_a_model_of_half_the_size_is_grown(train, faces):
    wide = {"generator": {"channels": [8, 4]}}
    small = train(THROUGH_TWIN, faces, "small", steps=1, **wide)
    images, labels = draw_faces(48, size=32)
    larger = tfanime.from_arrays(images, labels, MAKEGIRLSMOE)
    wide = {"generator": {"channels": [8, 4, 8]}, "image_size": 32}
    grown = train(THROUGH_TWIN, larger, "grown", steps=1, start=str(small.path), **wide)
    gans = [gan_of(run) for run in (small, grown)]
    begun = arrays_of(checkpoint.checkpoints(grown.path)[0])
    source = arrays_of(checkpoint.checkpoints(small.path)[-1])
    old = {v.path: source[f"generator/{i:04d}"] for i, v in enumerate(gans[0].generator.weights)}
    taken = []
    for i, variable in enumerate(gans[1].generator.weights):
        name, layer = f"generator/{i:04d}", variable.path.split("/")[0]
        if layer.startswith(("fc", "up0", "res0")):
            np.testing.assert_array_equal(begun[name], old[variable.path], err_msg=variable.path)
            taken.append(layer)
        elif layer.startswith(("up1", "res1", "out")):
            np.testing.assert_array_equal(begun[name], variable.numpy(), err_msg=variable.path)
    assert {"fc", "fc_bn", "up0_conv", "res0_1", "res0_1_bn"} <= set(taken)
    for i in range(len(gans[1].head.weights)):
        np.testing.assert_array_equal(begun[f"head/{i:04d}"], source[f"head/{i:04d}"])


@pytest.mark.slow
def test_layers_that_the_first_run_lacks_begin_anew(first, train, faces):
    """More parts of networks of the same size."""
    changes = {
        "generator": {"channels": 4, "fine_channels": 4},
        "discriminator": {"channels": 4, "pixel_patches": True},
    }
    second = train(THROUGH_TWIN, faces, "second", steps=1, start=str(first.path), **changes)
    stored = {
        run: arrays_of(checkpoint.checkpoints(run.path)[index])
        for run, index in ((first, -1), (second, 0))
    }
    old, new = gan_of(first), gan_of(second)
    for part in ("generator", "ema_generator"):
        known = {v.path: f"{part}/{i:04d}" for i, v in enumerate(getattr(old, part).weights)}
        for i, variable in enumerate(getattr(new, part).weights):
            name = f"{part}/{i:04d}"
            if variable.path in known:
                expected = stored[first][known[variable.path]]
            else:
                assert variable.path.startswith("fine_")
                expected = variable.numpy()
            np.testing.assert_array_equal(stored[second][name], expected, err_msg=variable.path)
    heads = [of(stored[run], "head/") for run in (first, second)]
    for name, array in heads[0].items():
        np.testing.assert_array_equal(heads[1][name], array)


def gan_of(run):
    """Networks like the run's, with the weights that its seed gives them without a start."""
    record = tfanime.core.files.read_json(run.path / "config.json")
    return build_gan(
        tfanime.recipes.config.Config.from_json(record["config"]).override(start=None),
        tfanime.core.labels.LabelSchema.from_json(record["labels"]),
    )


@pytest.fixture
def shipped(first, faces, tmp_path, monkeypatch):
    """The run as a model that ships, named `mine`."""
    config = tfanime.recipes.config.Config.from_json(
        tfanime.core.files.read_json(first.path / "config.json")["config"]
    )
    gan = build_gan(config, faces.schema)
    checkpoint.restore(gan, checkpoint.checkpoints(first.path)[-1])
    folder = tmp_path / "models" / "mine"
    save_generator(folder, gan.ema_generator, faces.schema, "mine")
    save_critic(gan, folder)
    (folder / "MODEL_CARD.md").write_text("# Mine\n")
    monkeypatch.setattr(zoo.shipped, "PLACES", (folder.parent, *zoo.shipped.PLACES))
    return gan


def test_a_model_that_ships_lends_its_average_and_its_critic(shipped, train, faces):
    run = train(THROUGH_TWIN, faces, "third", steps=1, start="mine")
    begun = arrays_of(checkpoint.checkpoints(run.path)[0])
    for i, variable in enumerate(shipped.ema_generator.weights):
        for part in ("generator", "ema_generator"):
            np.testing.assert_array_equal(begun[f"{part}/{i:04d}"], variable.numpy())
    for i, variable in enumerate(shipped.discriminator.weights):
        # float16 keeps eleven bits.
        np.testing.assert_allclose(
            begun[f"discriminator/{i:04d}"], variable.numpy(), rtol=2**-11, atol=1e-7
        )


def test_a_name_that_ships_is_a_run(shipped):
    faces = tfanime.generate("mine", n=2, seed=3)
    assert faces.images.shape == (2, 16, 16, 3)
    assert zoo.locate("mine") == zoo.path("mine")
    assert zoo.locate("not-there").name == "not-there"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"generator": {"channels": 6}},
            "generator has other weights.*: mine.*--set generator.channels=4",
        ),
        ({"conditioning": "none"}, "with conditioning ac, here none"),
        (
            {"discriminator": {"channels": 6, "pixel_channels": 6}},
            "discriminator has other weights",
        ),
        ({"start": "nowhere"}, "start is a run folder with checkpoints.*'nowhere'"),
    ],
)
def test_networks_that_differ_are_refused(first, train, faces, changes, message):
    changes = {"start": str(first.path), **changes}
    with pytest.raises(ValueError, match=message):
        train(THROUGH_TWIN, faces, "second", steps=1, **changes)


def test_a_start_that_does_not_fit_is_refused_before_data_are_read(
    first, dcgan, packed, tmp_path, monkeypatch
):
    monkeypatch.setattr("tfanime.training.train.load_data", None)
    images, out = tmp_path / "images", tmp_path / "run"
    for name in "abcd":
        save_image(images / f"{name}.png", np.zeros((16, 16, 3), np.uint8))
    options = {"size": 16, "batch_size": 4, "discriminator": {"channels": 4}}
    fitting = recipes.get("dcgan").override(
        **options, generator={"channels": 4}, start=str(dcgan[0])
    )
    other = fitting.override(generator={"channels": 6})
    for source in (images, packed):
        check_plan(fitting, source, out)
        with pytest.raises(ValueError, match=r"generator has other.*--set generator.channels=4"):
            check_plan(other, source, out)
    with pytest.raises(ValueError, match="generator has other weights"):
        tfanime.train(other, images, out=out, steps=1)
    assert not out.exists()
    # One that knows labels: those of the data are not known, the same, or more.
    known = THROUGH_TWIN.override(**{**TINY, **options}, start=str(first.path))
    for source in (images, packed):
        check_plan(known, source, out)
    more = LabelSchema((*MAKEGIRLSMOE.fields, Field("artist", "group", ("x", "y"))))
    known = recipes.resolve(known, more)
    check_fit(plain_networks(known, more), known, more, known=True)
    fewer = LabelSchema(MAKEGIRLSMOE.fields[:2])
    with pytest.raises(ValueError, match="generator has other weights"):
        check_fit(plain_networks(known, fewer), known, fewer, known=True)


HUGE = [
    ({"image_size": [10**7, 10**7]}, "image_size is at most 4,096, not 10,000,000"),
    ({"latent_dim": 10**12}, "latent_dim is at most 65,536"),
    ({"label_embedding": 10**9}, "label_embedding is at most 65,536"),
    ({"generator": {"name": "dcgan", "channels": 10**8}}, "generator.channels is at most 65,536"),
    ({"generator": {"name": "srresnet", "blocks": 10**9}}, "generator.blocks is at most 256"),
    (
        {"discriminator": {"name": "projected", "scales": [1] * 300}},
        "the length of discriminator.scales is at most 256, not 300",
    ),
    ({"generator": {"name": "dcgan", "channels": "many"}}, "is damaged"),
    (
        {"discriminator": {"name": "dcgan", "channels": [1] * 300}},
        r"Received: \[1, 1, .*, \.\.\.\]",
    ),
    ({"generator": {"name": "dcgan", "nothing": 1}}, "does not take these options"),
    ({"generator": {"name": "virus"}}, "generator's name is one of"),
    ({"generator": 7}, "is damaged"),
]


@pytest.fixture(scope="module")
def dcgan(eager, faces, tmp_path_factory):
    """A run folder, and a GAN like its own."""
    out = tmp_path_factory.mktemp("dcgan") / "first"
    tfanime.train("dcgan", faces, out=out, steps=1, tensorboard=False, progress=False, **TINY)
    return out, build_gan(*described(out / "config.json"))


@pytest.fixture
def stranger(dcgan, tmp_path):
    """Copies the run, with other settings in its `config.json`."""

    def change(**changes):
        folder = shutil.copytree(dcgan[0], tmp_path / "stranger")
        record = tfanime.core.files.read_json(folder / "config.json")
        record["config"] = {**record["config"], **changes}
        tfanime.core.files.write_json(folder / "config.json", record)
        return folder

    return change


@pytest.mark.parametrize(("changes", "said"), HUGE)
def test_a_strangers_settings_are_bounded(stranger, dcgan, changes, said):
    folder = stranger(**changes)
    with pytest.raises(ValueError, match=said) as caught:
        start_from(dcgan[1], folder)
    assert str(folder / "config.json") in str(caught.value) and "\n" not in str(caught.value)


def test_a_strangers_settings_allocate_nothing(stranger, dcgan):
    """150 GB of weights, if they were made."""
    folder = stranger(generator={"name": "dcgan", "channels": 65_536})
    start_from(dcgan[1], folder)
    with pytest.raises(ValueError, match="config.json' does not describe what is in"):
        generator_of(folder, dcgan[1].generator.get_weights())


def test_networks_without_values(dcgan):
    """They have the weights of the real ones by name and shape, and none of their values."""
    folder, gan = dcgan
    plain = without_values(*described(folder / "config.json"), folder / "config.json")
    for part in ("generator", "ema_generator", "discriminator", "head"):
        real, found = getattr(gan, part), getattr(plain, part)
        assert (real is None) == (found is None)
        if real is not None:
            pairs = [[(v.path, tuple(v.shape)) for v in one.weights] for one in (real, found)]
            assert pairs[0] == pairs[1]
            assert all(variable._value is None for variable in found.weights)


def test_every_recipe_begins_with_fresh_weights():
    assert all(recipes.get(name).start is None for name in recipes.names())


def test_labels_that_differ_are_named(first, train, faces):
    other = faces.select(["eyes", "smile"])
    with pytest.raises(ValueError, match="Its labels are hair, .*; here they are smile, eyes: "):
        train(THROUGH_TWIN, other, "second", steps=1, start=str(first.path))


@pytest.mark.slow
def test_labels_that_a_start_lacks_are_added_wherever_they_stand(train, faces):
    """They begin without a say in what is drawn; those that were known keep theirs."""
    few = faces.select(["eyes", "smile"])
    first = train(THROUGH_TWIN, few, "few", steps=1)
    second = train(THROUGH_TWIN, faces, "all", steps=1, start=str(first.path))
    assert faces.schema.columns[: few.schema.size] != few.schema.columns
    source = arrays_of(checkpoint.checkpoints(first.path)[-1])
    begun = arrays_of(checkpoint.checkpoints(second.path)[0])
    latents = recipes.get("modern").latent_dim
    assert begun["generator/0000"].shape[0] == latents + faces.schema.size
    for part in ("generator", "ema_generator"):
        wanted = source["ema_generator/0000" if part == "ema_generator" else "generator/0000"]
        found = begun[f"{part}/0000"]
        np.testing.assert_array_equal(found[:latents], wanted[:latents])
        for i, column in enumerate(faces.schema.columns):
            expected = np.zeros_like(found[0])
            if column in few.schema.columns:
                expected = wanted[latents + few.schema.columns.index(column)]
            np.testing.assert_array_equal(found[latents + i], expected, err_msg=column)
    for i, column in enumerate(few.schema.columns):
        place = faces.schema.columns.index(column)
        for name in ("head/0000", "head/0001"):
            np.testing.assert_array_equal(begun[name][..., place], source[name][..., i])
