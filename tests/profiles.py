"""ICC profiles made from nothing but chromaticities and a tone curve (ICC.1:2001-04)."""

import struct

import numpy as np

D65, D50 = (0.3127, 0.3290), (0.9642, 1.0, 0.8249)
BRADFORD = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)


def adobe_rgb() -> bytes:
    return rgb_profile([(0.64, 0.33), (0.21, 0.71), (0.15, 0.06)], gamma=563 / 256)


def display_p3() -> bytes:
    return rgb_profile([(0.68, 0.32), (0.265, 0.69), (0.15, 0.06)])


def srgb(order=(0, 1, 2)) -> bytes:
    """Of sRGB; another order gives one whose red is called green, and so on."""
    primaries = [(0.64, 0.33), (0.30, 0.60), (0.15, 0.06)]
    return rgb_profile([primaries[i] for i in order])


def rgb_profile(primaries, gamma: float | None = None) -> bytes:
    """With white D65; without `gamma` the tone curve of sRGB."""
    columns = np.array([_xyz(*point) for point in primaries]).T
    white = np.array(_xyz(*D65))
    columns = columns * np.linalg.solve(columns, white)
    cone = (BRADFORD @ D50) / (BRADFORD @ white)
    columns = np.linalg.inv(BRADFORD) @ np.diag(cone) @ BRADFORD @ columns
    tags = {b"wtpt": _xyz_tag(D50)}
    for name, column in zip((b"r", b"g", b"b"), columns.T, strict=True):
        tags[name + b"XYZ"], tags[name + b"TRC"] = _xyz_tag(column), _curve(gamma)
    return _profile(b"RGB ", tags)


def grey_profile(gamma: float) -> bytes:
    return _profile(b"GRAY", {b"wtpt": _xyz_tag(D50), b"kTRC": _curve(gamma)})


def _xyz(x, y):
    return x / y, 1.0, (1 - x - y) / y


def _fixed(number) -> bytes:
    return struct.pack(">i", round(number * 65536))


def _xyz_tag(numbers) -> bytes:
    return b"XYZ " + bytes(4) + b"".join(map(_fixed, numbers))


def _curve(gamma: float | None) -> bytes:
    if gamma is not None:
        return b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    x = np.linspace(0, 1, 1024)
    y = np.where(x <= 0.04045, x / 12.92, ((x + 0.055) / 1.055) ** 2.4)
    return b"curv" + bytes(4) + struct.pack(">I", 1024) + np.rint(y * 65535).astype(">u2").tobytes()


def _profile(space: bytes, tags: dict[bytes, bytes]) -> bytes:
    text = b"test\0"
    tags |= {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", len(text)) + text + bytes(78),
        b"cprt": b"text" + bytes(4) + text,
    }
    table, body, place = b"", b"", 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        data += bytes(-len(data) % 4)
        table += name + struct.pack(">II", place + len(body), len(data))
        body += data
    content = struct.pack(">I", len(tags)) + table + body
    size, made, colours = 128 + len(content), (2026, 1, 1, 0, 0, 0), (b"mntr", space, b"XYZ ")
    header = struct.pack(">I4sI4s4s4s", size, bytes(4), 0x02400000, *colours)
    header += struct.pack(">6H", *made) + b"acsp" + bytes(28) + b"".join(map(_fixed, D50))
    return header.ljust(128, b"\0") + content
