from __future__ import annotations

import numpy as np
import pytest
from samples import pictures

from tfanime.metrics import Extractor, extract, features, load_classifier, load_extractor
from tfanime.metrics.resize import clean, legacy

CORNER = Extractor("corner", "corner", "corner", 4, 4, lambda x: x[:, 0, 0])


def picture():
    return np.random.RandomState(5).randint(0, 256, (40, 64, 3)).astype(np.uint8)


@pytest.mark.parametrize(
    ("resize", "height", "width", "mean", "inner", "border"),
    # make_resizer("PIL", False, "bicubic", ...) and make_resizer("PyTorch", False, "bilinear", ...)
    # of clean-fid 0.1.35 on `picture()`: their mean, [3, 5] and [-1, -2].
    [
        (clean, 224, 224, 126.7166926274201,
         [179.46139526367188, 223.09829711914062, 117.46812438964844],
         [4.917209625244141, 135.5565643310547, 153.5489501953125]),
        (clean, 20, 24, 126.76529609097375,
         [200.59889221191406, 120.68002319335938, 121.32067108154297],
         [104.90557861328125, 165.4761962890625, 121.4298095703125]),
        (legacy, 224, 224, 126.72181193262567,
         [171.32142639160156, 216.9017791748047, 121.60713195800781],
         [11.0, 138.0, 138.0]),
        (legacy, 24, 20, 126.47136217753092,
         [77.96665954589844, 102.16667175292969, 182.6000213623047],
         [76.16673278808594, 123.73355865478516, 142.4330596923828]),
    ],
)  # fmt: skip
def test_resizes_agree_with_clean_fid(resize, height, width, mean, inner, border):
    found = resize(picture(), height, width)
    assert (found.shape, found.dtype) == ((height, width, 3), np.float32)
    assert found.astype(np.float64).mean() == pytest.approx(mean, abs=1e-4)
    np.testing.assert_allclose(found[3, 5], inner, atol=1e-4)
    np.testing.assert_allclose(found[-1, -2], border, atol=1e-4)


def test_clean_stays_in_range_and_keeps_flat_pictures():
    edges = np.zeros((8, 8, 3), np.uint8)
    edges[::2] = 255
    found = clean(edges, 30, 30)  # bicubic overshoots
    assert found.min() == 0 and found.max() == 255
    np.testing.assert_allclose(clean(np.full((8, 8, 3), 77, np.uint8), 224, 224), 77, atol=1e-4)


def test_features_keep_the_order_whatever_the_parts():
    x = np.zeros((100, 4, 4, 3), np.uint8)
    x[:] = np.arange(100)[:, None, None, None]
    found = extract(x, CORNER)
    assert (found.shape, found.dtype) == ((100, 3), np.float32)
    np.testing.assert_allclose(found[:, 0], np.arange(100), atol=1e-4)
    np.testing.assert_array_equal(extract(iter(np.split(x, [1, 40, 43])), CORNER), found)
    np.testing.assert_array_equal(extract(x[7:8], CORNER), found[7:8])


def test_pictures_are_not_all_read_ahead():
    read = []

    def parts():
        for i in range(1000):
            read.append(i)
            yield np.zeros((16, 4, 4, 3), np.uint8)

    next(features.features_in_chunks(parts(), CORNER))
    assert len(read) < 10 + 4 * features._cores()


def test_pictures_of_several_sizes():
    found = extract(iter([pictures(2, 8), pictures(3, 16)]), CORNER, resize="legacy")
    assert found.shape == (5, 3)


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.zeros((2, 4, 4, 3)), "uint8"),
        (np.zeros((2, 4, 4), np.uint8), r"\(2, 4, 4\)"),
        (np.zeros((0, 4, 4, 3), np.uint8), "at least 1 image. Received: 0"),
        (iter([]), "at least one image. Received: none"),
    ],
)
def test_wrong_pictures_are_named(x, words):
    with pytest.raises(ValueError, match=words):
        extract(x, CORNER)


def test_wrong_extractors_are_named(tmp_path):
    with pytest.raises(ValueError, match="resize must be one of clean, legacy"):
        extract(pictures(1), CORNER, resize="nearest")
    with pytest.raises(ValueError, match="An extractor is tagger, drawings, lite0, mobilenet"):
        load_extractor("vgg")
    with pytest.raises(ValueError, match="mobilenet needs the file"):
        load_extractor("mobilenet")
    with pytest.raises(ValueError, match="must exist"):
        load_extractor("mobilenet:" + str(tmp_path / "missing.tflite"))
    for ending in ("tflite", "keras"):
        broken = tmp_path / f"broken.{ending}"
        broken.write_bytes(b"nothing of the kind")
        with pytest.raises(ValueError, match="broken"):
            load_extractor(broken)


# ---- networks ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    """A small classifier of 8 x 8 pictures: as Keras, float TFLite and uint8 TFLite files."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(1)
    entry = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(6, 3, activation="relu", name="conv")(entry)
    x = keras.layers.GlobalAveragePooling2D(name="pool")(x)
    model = keras.Model(entry, keras.layers.Dense(10, activation="softmax", name="logits")(x))
    folder = tmp_path_factory.mktemp("models")
    model.save(folder / "model.keras")
    random = np.random.default_rng(0)
    for name in ("float", "uint8"):
        converter = tf.lite.TFLiteConverter.from_keras_model(model)
        if name == "uint8":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
            converter.representative_dataset = lambda: (
                [random.uniform(-1, 1, (1, 8, 8, 3)).astype(np.float32)] for _ in range(50)
            )
            converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
            converter.inference_input_type = converter.inference_output_type = tf.uint8
        (folder / f"{name}.tflite").write_bytes(converter.convert())
    return folder, model


def pooled_by_hand(model, x):
    return model.get_layer("pool")(model.get_layer("conv")(x / np.float32(127.5) - 1)).numpy()


def test_a_classifiers_features_are_what_its_logits_are_computed_from(classifier):
    folder, model = classifier
    x = pictures(20, 8)
    expected = pooled_by_hand(model, x)
    for file, tolerance in (("model.keras", 1e-5), ("float.tflite", 1e-5), ("uint8.tflite", 0.02)):
        extractor = load_extractor(folder / file)
        assert (extractor.height, extractor.width) == (8, 8)
        found = extract(x, extractor)
        assert (found.shape, found.dtype) == ((20, 6), np.float32)
        np.testing.assert_allclose(found, expected, atol=tolerance, err_msg=file)


def test_layers_by_name(classifier):
    folder, model = classifier
    x = pictures(3, 8)
    expected = model(x / np.float32(127.5) - 1).numpy()
    for file in ("model.keras", "float.tflite"):
        found = extract(x, load_extractor(f"{folder / file}:output"))
        np.testing.assert_allclose(found, expected, atol=1e-5)
    # A feature map is averaged over its area.
    found = extract(x, load_extractor(f"{folder / 'model.keras'}:conv"))
    np.testing.assert_allclose(found, pooled_by_hand(model, x), atol=1e-5)
    for file, words in (("model.keras", "conv, pool, logits"), ("float.tflite", "no tensor")):
        with pytest.raises(ValueError, match=words):
            load_extractor(f"{folder / file}:nothing")


def test_features_do_not_depend_on_the_neighbours(classifier):
    extractor = load_extractor(classifier[0] / "uint8.tflite")
    x = pictures(40, 8)
    np.testing.assert_array_equal(extract(x, extractor)[17:18], extract(x[17:18], extractor))


def test_the_identity_follows_file_layer_and_range(classifier):
    file = classifier[0] / "float.tflite"
    one, same, layer, other = (
        load_extractor(file),
        load_extractor(file),
        load_extractor(f"{file}:output"),
        load_extractor(file, pixel_range=(0, 1)),
    )
    assert one.identity == same.identity
    assert len({one.identity, layer.identity, other.identity}) == 3


def test_another_model_is_no_mobilenet(classifier):
    with pytest.raises(ValueError, match="1280 pooled features. Received: .* with 6"):
        load_extractor(f"mobilenet:{classifier[0] / 'float.tflite'}")


@pytest.mark.parametrize(
    ("name", "architecture"), [("inception", "InceptionV3"), ("mobilenetv2", "MobileNetV2")]
)
def test_applications_without_their_weights_say_where_to_get_them(
    name, architecture, monkeypatch, tmp_path
):
    import keras

    def offline(**options):
        raise Exception("URL fetch failure")

    monkeypatch.setattr(keras.applications, architecture, offline)
    with pytest.raises(ValueError, match=f"_no_?top.*h5 as {name}:FILE") as caught:
        load_extractor(name)
    assert "\n" not in str(caught.value)
    weights = tmp_path / "weights.h5"
    weights.write_bytes(b"none")
    with pytest.raises(ValueError, match=f"does not fit {architecture}"):
        load_extractor(f"{name}:{weights}")
    with pytest.raises(ValueError, match="^An extractor's file must exist"):
        load_extractor(f"{name}:{tmp_path / 'missing.h5'}")


def test_mobilenet_of_keras_with_local_weights(tmp_path):
    import keras

    keras.utils.set_random_seed(1)
    model = keras.applications.MobileNetV2(include_top=False, pooling="avg", weights=None)
    model.save_weights(tmp_path / "own.weights.h5")
    extractor = load_extractor(f"mobilenetv2:{tmp_path / 'own.weights.h5'}")
    assert (extractor.name, extractor.height, extractor.width) == ("mobilenetv2", 224, 224)
    x = pictures(2, 224)
    found = extract(x, extractor)
    assert found.shape == (2, 1280) and found.std() > 0
    np.testing.assert_allclose(found, model(x / np.float32(127.5) - 1).numpy(), atol=1e-4)


def test_classifiers_give_their_output_and_features_are_refused(classifier, tmp_path):
    import keras

    folder, model = classifier
    x = pictures(3, 8)
    expected = model(x / np.float32(127.5) - 1).numpy()
    for spec in ("model.keras", "model.keras:output", "float.tflite", "float.tflite:output"):
        network = load_classifier(f"{folder}/{spec}")
        np.testing.assert_allclose(extract(x, network), expected, atol=1e-5, err_msg=spec)
    features = keras.Model(model.inputs, model.get_layer("pool").output)
    features.save(tmp_path / "features.keras")
    for spec in (f"{folder}/model.keras:pool", "tagger", "drawings", "illustration2vec:FILE.onnx"):
        with pytest.raises(ValueError, match="needs a classifier.*stands for features"):
            load_classifier(spec)
    with pytest.raises(ValueError, match="last layer is 'pool': its output are features"):
        load_classifier(tmp_path / "features.keras")


def test_applications_as_classifiers_have_their_top(tmp_path, monkeypatch):
    import keras

    keras.utils.set_random_seed(1)
    built = []

    def small(include_top, weights, **options):
        built.append((include_top, weights, options))
        entry = keras.Input((224, 224, 3))
        pooled = keras.layers.GlobalAveragePooling2D()(entry)
        return keras.Model(entry, keras.layers.Dense(5, activation="softmax")(pooled))

    monkeypatch.setattr(keras.applications, "MobileNetV2", small)
    found = extract(pictures(2, 8), load_classifier("mobilenetv2"))
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    assert built == [(True, "imagenet", {})]
    monkeypatch.undo()
    weights = tmp_path / "no.h5"
    weights.write_bytes(b"none")
    with pytest.raises(ValueError, match="does not fit MobileNetV2 with its top layer"):
        load_classifier(f"mobilenetv2:{weights}")


def test_models_that_take_no_pictures_are_refused(tmp_path):
    import keras

    keras.Sequential([keras.Input((5,)), keras.layers.Dense(2)]).save(tmp_path / "rows.keras")
    with pytest.raises(ValueError, match="An extractor takes images"):
        load_extractor(tmp_path / "rows.keras")
