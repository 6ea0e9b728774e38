"""A frozen MobileNetV2 for the discriminator of `projected` to look through, beside the tagger.

    python scripts/frozen_network.py --out mobilenet.keras
    python scripts/frozen_network.py --weights DIR/model.json --range 0 1 --out mobilenet.keras
    tfanime train projected ... --set 'discriminator.features=["tagger","mobilenet.keras"]'

The weights are those of ImageNet, which Keras downloads, or a file of them: .weights.h5 or .h5 as
`keras.applications` has them, or the model.json of a TensorFlow.js layers model with the same layer
names, as of the model of nsfwjs. `--range` is what that network takes pictures in. The file takes
pictures in [-1, 1] of `--size` pixels, which `--enlarge 2` shows the network at twice the size:
such networks learnt from larger pictures, and see more of a small one so, in four times the time.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path

import keras
import numpy as np
from keras import layers

from tfanime.files import atomic_path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--weights", default="imagenet")
    parser.add_argument(
        "--range", type=float, nargs=2, default=(-1.0, 1.0), metavar=("LOW", "HIGH")
    )
    parser.add_argument("--size", type=int, default=64, help="a multiple of 32")
    parser.add_argument("--enlarge", type=int, default=1, help="times")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    low, high = options.range
    pictures = keras.Input((options.size, options.size, 3), name="pictures")
    seen = pictures
    if options.enlarge > 1:
        seen = layers.UpSampling2D(options.enlarge, interpolation="bilinear")(pictures)
    scaled = layers.Rescaling((high - low) / 2, (high + low) / 2)(seen)
    from_keras = not options.weights.endswith(".json")
    try:
        network = keras.applications.MobileNetV2(
            include_top=False,
            input_tensor=scaled,
            weights=options.weights if from_keras else None,
        )
    except Exception as error:
        parser.exit(
            1,
            f"The weights {options.weights!r} could not be read ({str(error).splitlines()[0]}). "
            "ImageNet's are downloaded; without network give a file: --weights FILE.\n",
        )
    if not from_keras:
        give(network, tensorflowjs_weights(Path(options.weights)))
    with atomic_path(options.out) as temporary:
        network.save(temporary)


def tensorflowjs_weights(manifest: Path) -> dict[str, np.ndarray]:
    """The arrays of a TensorFlow.js model by name, float32."""
    found = {}
    for group in json.loads(manifest.read_text())["weightsManifest"]:
        data = b"".join((manifest.parent / path).read_bytes() for path in group["paths"])
        offset = 0
        for entry in group["weights"]:
            coded = entry.get("quantization")
            dtype = np.dtype(coded["dtype"] if coded else entry["dtype"])
            count = math.prod(entry["shape"])
            array = np.frombuffer(data, dtype, count, offset).reshape(entry["shape"])
            offset += array.nbytes
            array = array.astype(np.float32)
            scale, least = (
                (coded or {}).get(key, usual) for key, usual in (("scale", 1), ("min", 0))
            )
            found[entry["name"]] = array * scale + least
    return found


def give(network: keras.Model, arrays: dict[str, np.ndarray]) -> None:
    """Every layer's weights from `layer/weight`."""
    for layer in network.layers:
        for variable in layer.weights:
            name = variable.name
            if isinstance(layer, layers.DepthwiseConv2D) and name == "kernel":
                name = "depthwise_kernel"  # as Keras 2 called it
            variable.assign(arrays[f"{layer.name}/{name}"])


if __name__ == "__main__":
    main()
