"""Rewrites a generator into a smaller graph that draws the same images.

Every rule is exact: it holds in real numbers for all inputs, borders included, and differs from
the original by rounding only (about 1e-6 of images in [-1, 1]).

1. A strided transposed convolution becomes a convolution and a depth to space. Browsers compute
   transposed convolutions badly: tfjs's WASM scatters them one number at a time.
2. Whatever treats all numbers of a channel alike moves in front of a depth to space, with its
   numbers repeated for every position of the block; a scale and shift also in front of a reshape.
3. A scale and shift (batch norm) is folded into the convolution or dense layer before it, and left
   out where it changes nothing.
4. A k x k convolution behind a depth to space becomes a smaller one in front of it, where that
   costs less (`_cost`).
5. A sigmoid that is stretched to [-1, 1] becomes the tanh of half of what it takes, and the half is
   folded away.

Take the last: output pixel `b y + q` of the k x k convolution reads the pixels `b y + q + t - r`
of the enlarged map (tap t, r = (k - 1) / 2). Pixel `b (y + m) + p` of that map is channel block p
of pixel `y + m` of the small one. So tap t of output block q is tap `m` from input block p of the
new convolution, with `m, p = divmod(q + t - r, b)`. Zeros beyond the border stay zeros, since
whole blocks lie inside or outside. A 9x9 convolution from 64 to 3 channels becomes a 5x5
convolution from 256 to 12.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

import numpy as np

from tfanime.export.graph.graph import POINTWISE, Graph, Node, Shape

LANES = 8


def rewrite(graph: Graph) -> Graph:
    """Applies all rules until none fits any more.

    Args:
        graph: as `graph.from_keras` reads it.

    Returns:
        The rewritten graph, all weights float32.
    """
    rules = (
        _sigmoid_to_tanh,
        _lower_transposed,
        _lift_over_rearrangement,
        _fold_affine,
        _shrink_convolution,
    )
    while True:
        changed = _first_change(graph, rules)
        if changed is None:
            return _as_float32(graph)
        graph = changed


def multiply_adds(graph: Graph) -> int:
    """Multiply-adds of the convolutions and dense layers for one image.

    A side of any length counts as 64.
    """
    shapes = {name: _known(shape) for name, shape in graph.shapes().items()}
    total = 0
    for node in graph.nodes:
        if node.op in ("dense", "conv", "conv_transpose"):
            # A transposed convolution uses its kernel once an input pixel, the others once an
            # output pixel.
            of = node.inputs[0] if node.op == "conv_transpose" else node.name
            total += node.weights["kernel"].size * int(np.prod(shapes[of][:-1]))
    return total


def _known(shape: Shape, side: int = 64) -> Shape:
    return tuple(side if length is None else length for length in shape)


def _first_change(graph: Graph, rules: Iterable[Callable]) -> Graph | None:
    for rule in rules:
        for node in graph.nodes:
            changed = rule(graph, node)
            if changed is not None:
                return changed
    return None


# ---- rules: each returns the changed graph, or None where it does not fit ------------------------


def _sigmoid_to_tanh(graph: Graph, node: Node) -> Graph | None:
    """`2 sigmoid(x) - 1 -> tanh(x / 2)`."""
    if node.op != "affine":
        return None
    before = graph.node(node.inputs[0])
    scale, shift = node.weights["scale"], node.weights["shift"]
    stretched = np.all(scale == 2) and np.all(shift == -1)
    if before.op != "sigmoid" or not stretched or not _only_user(graph, before, node):
        return None
    half = replace(before, op="affine", weights={"scale": scale / 4, "shift": 0 * shift})
    tanh = replace(node, op="tanh", weights={})
    return _replaced(graph, {before.name: (half,), node.name: (tanh,)})


def _lower_transposed(graph: Graph, node: Node) -> Graph | None:
    """Transposed convolution -> convolution, depth to space.

    Output pixel o takes tap t of input pixel i where `o + before = s i + t`. With
    `o + crop = s j + q`, position j and block q of the new convolution, i runs over at most
    ceil(k / s) pixels up to j. Of the s ways to place the blocks (`crop`) the one with the fewest
    multiply-adds is taken: a 4x4 kernel with stride 2 becomes a 2x2 kernel and not a 3x3 one with
    five zeros in nine.
    """
    if node.op != "conv_transpose" or len(set(node.options["strides"])) != 1:
        return None
    stride = node.options["strides"][0]
    kernel, bias = node.weights["kernel"], node.weights["bias"]
    if stride == 1:
        return None
    height, width = _known(graph.shapes()[node.inputs[0]])[:2]

    def cost(crop: int) -> int:
        rows, columns = (len(_taps(k, stride, crop)[1]) for k in kernel.shape[:2])
        return rows * columns * (height + (crop > 0)) * (width + (crop > 0))

    crop = min(range(stride), key=lambda c: (cost(c), c))
    (first_row, rows), (first_column, columns) = (_taps(k, stride, crop) for k in kernel.shape[:2])
    small = np.zeros((len(rows), len(columns), kernel.shape[3], stride, stride, kernel.shape[2]))
    for m, row_taps in enumerate(rows):
        for n, column_taps in enumerate(columns):
            for q, tap_y in enumerate(row_taps):
                for p, tap_x in enumerate(column_taps):
                    if tap_y is not None and tap_x is not None:
                        small[m, n, :, q, p] = kernel[tap_y, tap_x].T
    small = small.reshape(*small.shape[:3], -1).astype(np.float32)
    padding = tuple(
        (-first, first + len(taps) - 1 + (crop > 0))
        for first, taps in ((first_row, rows), (first_column, columns))
    )
    conv = Node(
        f"{node.name}_conv",
        "conv",
        node.inputs,
        {"kernel": small, "bias": np.tile(bias, stride**2)},
        {"strides": (1, 1), "padding": padding},
    )
    shuffle = Node(node.name, "shuffle", (conv.name,), {}, {"block": stride, "crop": crop})
    return _replaced(graph, {node.name: (conv, shuffle)})


def _taps(kernel: int, stride: int, crop: int) -> tuple[int, list[list[int | None]]]:
    """One axis of a transposed convolution as a convolution.

    Returns:
        The first input pixel, relative to the position j, and for it and each following pixel the
        tap that every block q takes from it; None where it takes none.
    """
    before = max(kernel - stride, 0) // 2  # what "same" cuts off the start
    taps: dict[int, list[int | None]] = {}
    for q in range(stride):
        for tap in range(kernel):
            # stride (j + m) + tap = o + before, with o = stride j + q - crop
            offset, rest = divmod(q - crop + before - tap, stride)
            if rest == 0:
                taps.setdefault(offset, [None] * stride)[q] = tap
    first, last = min(taps), max(taps)
    return first, [taps.get(offset, [None] * stride) for offset in range(first, last + 1)]


def _lift_over_rearrangement(graph: Graph, node: Node) -> Graph | None:
    """Depth to space or reshape, then a pointwise step -> the step first."""
    if node.op not in POINTWISE:
        return None
    before = graph.node(node.inputs[0])
    if not _only_user(graph, before, node):
        return None
    if before.op == "shuffle":
        repeats = before.options["block"] ** 2
    elif before.op == "reshape" and node.op == "affine":
        source, target = graph.shapes()[before.inputs[0]], before.options["shape"]
        if len(source) != 1 or None in (*source, *target):
            return None
        repeats = source[0] // target[-1]
    else:
        return None
    weights = {key: np.tile(value, repeats) for key, value in node.weights.items()}
    lifted = Node(f"{node.name}_early", node.op, before.inputs, weights, node.options)
    moved = replace(before, name=node.name, inputs=(lifted.name,))
    return _replaced(graph, {before.name: (), node.name: (lifted, moved)})


def _fold_affine(graph: Graph, node: Node) -> Graph | None:
    """Convolution or dense layer, then scale and shift -> one with other weights."""
    if node.op != "affine":
        return None
    scale, shift = node.weights["scale"], node.weights["shift"]
    if np.all(scale == 1) and np.all(shift == 0):
        return _without(graph, node)
    before = graph.node(node.inputs[0])
    if before.op not in ("dense", "conv", "affine") or not _only_user(graph, before, node):
        return None
    names = ("scale", "shift") if before.op == "affine" else ("kernel", "bias")
    slope, offset = (np.asarray(before.weights[name], np.float64) for name in names)
    weights = dict(zip(names, (slope * scale, offset * scale + shift), strict=True))
    folded = replace(before, name=node.name, weights=weights)
    return _replaced(graph, {before.name: (), node.name: (folded,)})


def _shrink_convolution(graph: Graph, node: Node) -> Graph | None:
    """Depth to space, then a convolution -> a smaller convolution first, where it costs less."""
    if node.op != "conv" or node.options["padding"] != "same":
        return None
    if set(node.options["strides"]) != {1}:
        return None
    before = graph.node(node.inputs[0])
    rows, columns, channels, filters = node.weights["kernel"].shape
    if before.op != "shuffle" or before.options["crop"] or not (rows % 2 and columns % 2):
        return None
    if not _only_user(graph, before, node):
        return None
    block = before.options["block"]
    sides = [2 * -(-((k - 1) // 2) // block) + 1 for k in (rows, columns)]
    small = (*sides, channels * block**2, filters * block**2)
    if _cost(small) >= _cost(node.weights["kernel"].shape) * block**2:
        return None
    kernel = np.zeros((*sides, block, block, channels, block, block, filters))
    for q, tap_y, m, p in _positions(rows, block):
        for s, tap_x, n, o in _positions(columns, block):
            kernel[m + sides[0] // 2, n + sides[1] // 2, p, o, :, q, s, :] = node.weights["kernel"][
                tap_y, tap_x
            ]
    weights = {
        "kernel": kernel.reshape(small),
        "bias": np.tile(node.weights["bias"], block**2),
    }
    conv = Node(f"{node.name}_small", "conv", before.inputs, weights, node.options)
    shuffle = replace(before, name=node.name, inputs=(conv.name,))
    return _replaced(graph, {before.name: (), node.name: (conv, shuffle)})


def _positions(kernel: int, block: int) -> Iterator[tuple[int, int, int, int]]:
    """One axis: output block, tap, and the tap and input block that they become."""
    for q in range(block):
        for tap in range(kernel):
            m, p = divmod(q + tap - (kernel - 1) // 2, block)
            yield q, tap, m, p


def _cost(kernel: tuple[int, ...]) -> int:
    """What a convolution costs at one position: multiply-adds, as the hardware does them.

    XNNPACK, which computes convolutions in tfjs's WASM, makes eight output channels at a time, so
    three cost as much as eight. By this count a 9x9 or 5x5 convolution to 3 channels is cheaper
    in front of a depth to space (0.62 and 0.72 of the cost), and a 3x3 convolution, or any to many
    channels, is not.
    """
    rows, columns, channels, filters = kernel
    return rows * columns * channels * -(-filters // LANES) * LANES


# ---- helpers -------------------------------------------------------------------------------------


def _only_user(graph: Graph, node: Node, user: Node) -> bool:
    return graph.output != node.name and graph.users(node.name) == [user]


def _replaced(graph: Graph, by: dict[str, tuple[Node, ...]]) -> Graph:
    """Puts other steps in the place of some."""
    nodes = tuple(new for node in graph.nodes for new in by.get(node.name, (node,)))
    return replace(graph, nodes=nodes)


def _without(graph: Graph, node: Node) -> Graph:
    """Leaves out a step that changes nothing."""

    def source(name: str) -> str:
        return node.inputs[0] if name == node.name else name

    nodes = (
        replace(other, inputs=tuple(map(source, other.inputs)))
        for other in graph.nodes
        if other is not node
    )
    return replace(graph, nodes=tuple(nodes), output=source(graph.output))


def _as_float32(graph: Graph) -> Graph:
    nodes = (
        replace(n, weights={key: np.asarray(w, np.float32) for key, w in n.weights.items()})
        for n in graph.nodes
    )
    return replace(graph, nodes=tuple(nodes))
