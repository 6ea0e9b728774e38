"""Proves our SRResNet generator: loads the original MakeGirlsMoe weights and compares.

    python scripts/studies/check_makegirlsmoe.py WEIGHTS.npz --out DIR

The weights of the released model (`fc.w`, `res0.1.w`, ...; convolutions as (out, in, kh, kw),
up-convolutions in PixelShuffle channel order) go into our Keras graph layer by layer. A plain
NumPy forward pass, written from the specification and channels-first like the original, must
agree to 1e-4. Also writes a sheet of faces, and fails when a weight is left over.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from tfanime.core import seeds
from tfanime.core.images import save_grid, to_uint8
from tfanime.core.labels import MAKEGIRLSMOE, to_signed
from tfanime.models import srresnet
from tfanime.zoo.saved import save_generator

EPSILON = 2e-5
TOLERANCE = 1e-4
CHANNELS, BASE, BLOCKS, UPSAMPLINGS = 64, 16, 16, 3


class Weights:
    """The arrays of the npz file, which remembers what was asked for."""

    def __init__(self, path):
        with np.load(path) as stored:
            self.arrays = {name: stored[name].astype(np.float32) for name in stored.files}
        self.used = set()

    def __getitem__(self, name):
        self.used.add(name)
        return self.arrays[name]

    def batch_norm(self, name):
        return [self[f"{name}.bn.{part}"] for part in ("gamma", "beta", "mean", "var")]


# ---- the original, in NumPy, channels first ----------------------------------------------------


def convolve(x, w, b):
    """`same` convolution, (n, in, h, w) by (out, in, k, k), as one matrix product."""
    pad = w.shape[2] // 2
    padded = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, w.shape[2:], axis=(2, 3))
    return np.einsum("nchwij,ocij->nohw", windows, w, optimize=True) + b[:, None, None]


def normalise(x, parameters):
    shape = (1, -1) + (1,) * (x.ndim - 2)
    gamma, beta, mean, variance = (p.reshape(shape) for p in parameters)
    return gamma * (x - mean) / np.sqrt(variance + EPSILON) + beta


def pixel_shuffle(x):
    n, c, h, w = x.shape
    x = x.reshape(n, c // 4, 2, 2, h, w).transpose(0, 1, 4, 2, 5, 3)
    return x.reshape(n, c // 4, 2 * h, 2 * w)


def original(weights, inputs):
    """(n, 162) to (n, 128, 128, 3) in [-1, 1]."""

    def conv(x, name):
        return convolve(x, weights[f"{name}.w"], weights[f"{name}.b"])

    def conv_bn(x, name):
        return normalise(conv(x, name), weights.batch_norm(name))

    x = inputs @ weights["fc.w"].T + weights["fc.b"]
    x = np.maximum(normalise(x, weights.batch_norm("fc")), 0)
    x = x.reshape(-1, CHANNELS, BASE, BASE)
    for i in range(BLOCKS):
        x = x + conv_bn(np.maximum(conv_bn(x, f"res{i}.1"), 0), f"res{i}.2")
    x = np.maximum(conv_bn(x, "mid"), 0)
    for i in range(UPSAMPLINGS):
        x = pixel_shuffle(conv(x, f"up{i}"))
        x = np.maximum(normalise(x, weights.batch_norm(f"up{i}")), 0)
    return np.tanh(conv(x, "out")).transpose(0, 2, 3, 1)


# ---- ours ----------------------------------------------------------------------------------------


def load(weights):
    """Our generator with the original's weights."""
    model = srresnet.generator(128, 128, latent_dim=128, label_dim=34, long_skip=False)

    def batch_norm(layer, name, order=None):
        arrays = weights.batch_norm(name)
        if order is not None:
            arrays = [array[order] for array in arrays]
        model.get_layer(layer).set_weights(arrays)

    def conv(layer, name, order=None):
        kernel, bias = weights[f"{name}.w"].transpose(2, 3, 1, 0), weights[f"{name}.b"]
        if order is not None:
            kernel, bias = kernel[..., order], bias[order]
        model.get_layer(layer).set_weights([kernel, bias])

    # Ours is channels last: feature (row, column, channel) is theirs at (channel, row, column).
    features = np.arange(CHANNELS * BASE * BASE).reshape(CHANNELS, BASE, BASE)
    order = features.transpose(1, 2, 0).ravel()
    model.get_layer("fc").set_weights([weights["fc.w"].T[:, order], weights["fc.b"][order]])
    batch_norm("fc_bn", "fc", order)
    for i in range(BLOCKS):
        for part in (1, 2):
            conv(f"res{i}_{part}", f"res{i}.{part}")
            batch_norm(f"res{i}_{part}_bn", f"res{i}.{part}")
    conv("mid", "mid")
    batch_norm("mid_bn", "mid")
    # PixelShuffle's channel c*4 + i*2 + j is depth-to-space's (i*2 + j)*64 + c.
    shuffled = np.arange(4 * CHANNELS).reshape(CHANNELS, 4).T.ravel()
    for i in range(UPSAMPLINGS):
        conv(f"up{i}", f"up{i}", shuffled)
        batch_norm(f"up{i}_bn", f"up{i}")
    conv("out", "out")
    return model


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("weights", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()

    weights = Weights(arguments.weights)
    model = load(weights)
    unused = sorted(set(weights.arrays) - weights.used)
    if unused:
        sys.exit(f"These arrays of {arguments.weights} fit nowhere: {', '.join(unused)}.")

    z = seeds.latents(arguments.seed, 32, 128)
    y = to_signed(seeds.sample_labels(arguments.seed, 32, MAKEGIRLSMOE))
    ours = np.asarray(model([z, y], training=False))
    theirs = original(weights, np.concatenate([z[:4], y[:4]], axis=1))
    difference = float(np.abs(ours[:4] - theirs).max())
    trained = sum(int(np.prod(v.shape)) for v in model.trainable_variables)
    print(f"{trained:,} trained weights, {len(weights.arrays)} arrays, none left over")
    print(f"largest difference to the NumPy forward pass: {difference:.2e}")

    save_grid(arguments.out / "faces.png", to_uint8(ours), columns=8)
    save_generator(arguments.out, model, MAKEGIRLSMOE, "makegirlsmoe-original")
    print(f"faces: {arguments.out / 'faces.png'}")
    if not difference <= TOLERANCE:
        sys.exit(f"The difference is above {TOLERANCE:g}: our graph is not the original's.")


if __name__ == "__main__":
    main()
