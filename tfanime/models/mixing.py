"""Two faces in one image: a generator whose coarse maps follow one style and whose fine ones
another (style mixing: [Karras et al., 2019](https://arxiv.org/abs/1812.04948), section 3.1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
import numpy as np

from tfanime.models.common import STYLE, copied, like_inputs
from tfanime.models.steering import STEERED

GROUPS = ("coarse", "middle", "fine")


def style_sizes(generator: keras.Model) -> dict[str, int]:
    """The layers that take a generator's style, and of what size the maps are that they change:
    the smaller side. None, for a generator without a layer named `style`.
    """
    named = [layer for layer in generator.layers if layer.name == STYLE]
    takers = [one for layer in named for one in _takers(generator, layer)]
    return {one.name: _side(generator, one) for one in takers}


def style_groups(generator: keras.Model) -> dict[str, list[str]]:
    """The layers that take a generator's style, in the groups that can be mixed where there are
    switches and no sizes: `coarse`, `middle` and `fine`.

    The sizes of maps are shared out evenly, what is left over to the finer groups: of 8, 16, 32,
    64 and 128 the first is coarse, the next two are middle. Two sizes are coarse and fine, and one
    is fine. Empty for a generator without styles.
    """
    sizes = style_sizes(generator)
    each = sorted(set(sizes.values()), reverse=True)
    names = {0: (), 1: GROUPS[2:], 2: GROUPS[::2]}.get(len(each), GROUPS)
    parts = np.array_split(each, len(names) or 1)[::-1]
    return {
        group: [layer for layer, size in sizes.items() if size in part]
        for group, part in zip(names, parts, strict=False)
    }


def mixed(generator: keras.Model, fine_from: int) -> keras.Model:
    """A generator that draws two faces as one, to draw with and not to be saved.

    Args:
        generator: a functional network with a layer named `style`, steered or not.
        fine_from: the styles of maps of this size (`style_sizes`) and larger are the fine face's;
            everything else is the coarse face's.

    Returns:
        A network of the generator's inputs twice, the coarse face's first, with its output.
    """
    style = generator.get_layer(STYLE).output
    inputs, fine_inputs = like_inputs(generator), like_inputs(generator, "fine_")
    fine = keras.Model(generator.inputs, style, name="fine_style")(fine_inputs)
    of_layers = {
        name: {id(style): fine}
        for name, size in style_sizes(generator).items()
        if size >= fine_from
    }
    values = {id(x): y for x, y in zip(generator.inputs, inputs, strict=True)}
    output = copied(generator, values, of_layers)[id(generator.outputs[0])]
    return keras.Model([*inputs, *fine_inputs], output, name=generator.name)


def draw_mixed(
    generator: keras.Model, inputs: Sequence, others: Sequence, switches: Mapping[str, object]
):
    """Images of two faces each, by the generator's own weights.

    Args:
        generator: as in `mixed`.
        inputs, others: tensors `(B, ...)` for the generator's inputs: of the faces, and of those
            whose styles go into them.
        switches: by the names of `style_groups`, `(B,)` bool: whether a group follows the other.

    Returns:
        `(B, H, W, 3)`; without a switch that is on, what the generator draws of `inputs`.
    """
    style = generator.get_layer(STYLE).output
    network = keras.Model(generator.inputs, style, name="styles")
    own, other = (network(list(x) if len(x) > 1 else x[0]) for x in (inputs, others))
    of_layers = {}
    for group, names in style_groups(generator).items():
        mix = keras.ops.where(switches[group][:, None], other, own)
        of_layers |= dict.fromkeys(names, {id(style): mix})
    values = {id(x): y for x, y in zip(generator.inputs, inputs, strict=True)}
    tensors = copied(generator, values, of_layers, again=lambda layer, x: layer(x))
    return tensors[id(generator.outputs[0])]


def truncated_styles(generator: keras.Model, truncation: float) -> keras.Model:
    """A copy of a generator whose styles follow shortened latents, while its first map follows the
    latents as they are: at 0 the style is that of the labels alone, about the mean of their styles.

    Args:
        generator: as in `mixed`.
        truncation: what the latents are multiplied by.

    Raises:
        ValueError: for a mapping network that does not begin with a dense layer of latents and,
            behind them, labels.
    """
    first, latent_dim = _first_of_mapping(generator), int(generator.inputs[0].shape[-1])
    if first is None:
        raise ValueError(
            "Styles are truncated where they follow a dense layer of latents and labels. Received: "
            f"{generator.name!r}, whose style begins otherwise. Truncate latents: --truncation."
        )
    copy = keras.models.clone_model(generator)
    copy.set_weights(generator.get_weights())
    kernel = copy.get_layer(first.name).kernel
    rows = keras.ops.arange(kernel.shape[0])[:, None] < latent_dim
    kernel.assign(keras.ops.where(rows, truncation * kernel, kernel))
    return copy


def _first_of_mapping(generator: keras.Model) -> keras.layers.Dense | None:
    """The dense layer of latents, and of labels behind them if there are, that a style begins with,
    if it is the style's alone."""
    from_output = {id(layer.output): layer for layer in generator.layers}
    layer = first = generator.get_layer(STYLE)
    while not isinstance(layer.input, list) and not isinstance(layer, keras.layers.InputLayer):
        first, layer = layer, from_output[id(layer.input)]
    at = layer.input[0] if isinstance(layer, keras.layers.Concatenate) else layer.output
    latents = [generator.inputs[0], *(x.output for x in generator.layers if x.name == STEERED)]
    own = first.name == STYLE or len(_takers(generator, first)) == 1
    fits = own and any(at is x for x in latents)
    return first if isinstance(first, keras.layers.Dense) and fits else None


def _takers(generator: keras.Model, layer: keras.Layer) -> list[keras.Layer]:
    """The layers that take what a layer gives."""
    return [
        one
        for one in generator.layers
        if not isinstance(one, keras.layers.InputLayer)
        and any(x is layer.output for x in keras.tree.flatten(one.input))
    ]


def _side(generator: keras.Model, layer: keras.Layer) -> int:
    """The smaller side of the first maps that come of a layer, larger than a pixel."""
    while len(layer.output.shape) != 4 or max(layer.output.shape[1:3]) == 1:
        layer = _takers(generator, layer)[0]
    return min(layer.output.shape[1:3])
