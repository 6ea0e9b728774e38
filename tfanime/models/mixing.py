"""Two faces in one image: a generator whose coarse maps follow one style and whose fine ones
another (style mixing: [Karras et al., 2019](https://arxiv.org/abs/1812.04948), section 3.1).
"""

from __future__ import annotations

import keras

from tfanime.models.common import STYLE, copied, like_inputs


def style_sizes(generator: keras.Model) -> dict[str, int]:
    """The layers that take a generator's style, and of what size the maps are that they change:
    the smaller side. None, for a generator without a layer named `style`.
    """
    named = [layer for layer in generator.layers if layer.name == STYLE]
    takers = [one for layer in named for one in _takers(generator, layer)]
    return {one.name: _side(generator, one) for one in takers}


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
