"""The map of docs/seeds.md: known values, statistics, twins in JavaScript and TensorFlow."""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tfanime.core import seeds
from tfanime.core.labels import MAKEGIRLSMOE, Field, LabelSchema

HERE = Path(__file__).parent
SPECIFICATION = (HERE.parent / "docs" / "seeds.md").read_text(encoding="utf-8")

# Every kind of field, with and without stored frequencies.
MIXED = LabelSchema(
    (
        *MAKEGIRLSMOE.fields,
        Field("bare", "group", ("one", "two", "three")),
        Field("bare_flag", "flag"),
        Field("year", "value", (), tuple(np.linspace(0, 1, 17) ** 2), 1990, 2020),
        Field("score", "value"),
    )
)
CASES = [(0, 0, 20), (7, 0, 50), (7, 10**6, 20), (2**32 + 5, 3, 20), (2**53 - 1, 2**32 - 20, 20)]
DIM, TRUNCATION = 33, 0.8


def table(heading: str) -> list[list[str]]:
    """The rows of the specification's table whose header starts with `heading`."""
    body = SPECIFICATION.split(f"| {heading} |")[1].split("\n\n")[0].splitlines()[2:]
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in body]


def nulls(rows) -> list:
    """Rows for JSON, which has no NaN."""
    return [[None if np.isnan(x) else float(x) for x in row] for row in rows]


def words(text: str) -> list[int]:
    return [int(word, 16) for word in text.split()]


# ---- known values ------------------------------------------------------------------------------


def test_threefry_gives_random123s_known_answers():
    answers = table("counter | key | result")
    assert len(answers) == 3
    for counter, key, result in answers:
        found = seeds.threefry(tuple(words(key)), *np.asarray(words(counter), np.uint32))
        assert [int(x[0]) for x in found] == words(result)


def test_the_specifications_latents():
    known = table("seed | index | words | uniforms | latents")
    assert len(known) == 6
    for seed, index, pair, uniforms, z in known:
        seed, index = int(seed), int(index)
        found = seeds.threefry((seed & 0xFFFFFFFF, seed >> 32), 0, index)
        assert [int(x[0]) for x in found] == words(pair)
        expected = [float(u) for u in uniforms.split()]
        assert seeds.uniforms(seed, 1, 2, index)[0].tolist() == expected
        expected = [float(x) for x in z.split()]
        np.testing.assert_allclose(seeds.latents(seed, 1, 4, index)[0], expected, atol=1e-6)


def test_the_specifications_labels():
    known = table("seed | index | uniform 0 | hair | eyes | flags")
    assert len(known) == 6
    for seed, index, uniform, hair, eyes, flags in known:
        seed, index = int(seed), int(index)
        assert seeds.uniforms(seed, 1, 1, index, seeds.LABELS)[0, 0] == float(uniform)
        tags = MAKEGIRLSMOE.decode(seeds.sample_labels(seed, 1, MAKEGIRLSMOE, None, index)[0])
        assert (tags.pop("hair"), tags.pop("eyes")) == (hair, eyes)
        assert [name for name in tags if tags[name]] == flags.split()


def test_threefry_inverts():
    """Undoing the rounds by hand gives the counter back, so no two counters share their words."""
    key = (0x12345678, 0x9ABCDEF0)
    ks = (*key, 0x1BD11BDA ^ key[0] ^ key[1])
    x0, x1 = (int(x[0]) for x in seeds.threefry(key, 42, 99))
    for turn in reversed(range(20)):
        if turn % 4 == 3:
            s = turn // 4 + 1
            x0, x1 = (x0 - ks[s % 3]) % 2**32, (x1 - ks[(s + 1) % 3] - s) % 2**32
        mixed, r = x1 ^ x0, seeds.ROTATIONS[turn % 8]
        x1 = (mixed >> r | mixed << (32 - r)) % 2**32
        x0 = (x0 - x1) % 2**32
    assert ((x0 - ks[0]) % 2**32, (x1 - ks[1]) % 2**32) == (42, 99)


# ---- what a picture depends on -----------------------------------------------------------------


@pytest.mark.parametrize("dim", [1, 2, 7, 128])
def test_a_picture_is_the_same_whatever_n_and_first(dim):
    all_of_them = seeds.latents(7, 40, dim)
    assert all_of_them.shape == (40, dim) and all_of_them.dtype == np.float32
    for n, first in [(1, 0), (1, 39), (3, 5), (17, 20)]:
        part = seeds.latents(7, n, dim, first)
        assert part.tobytes() == all_of_them[first : first + n].tobytes()
    rows = seeds.sample_labels(7, 40, MIXED)
    assert (seeds.sample_labels(7, 3, MIXED, first=9) == rows[9:12]).all()


def test_a_shorter_latent_is_the_beginning_of_a_longer_one():
    longer = seeds.latents(3, 5, 128)
    np.testing.assert_array_equal(seeds.latents(3, 5, 31), longer[:, :31])


def test_seeds_pictures_and_streams_share_no_numbers():
    streams = [
        seeds.uniforms(seed, 50, 128, first, stream)
        for seed in (0, 1, 2**32)
        for first in (0, 2**31)
        for stream in (seeds.LATENTS, seeds.LABELS)
    ]
    pairs = np.concatenate([s.reshape(-1, 2) for s in streams])
    assert len(np.unique(pairs, axis=0)) == len(pairs)


def test_latents_and_labels_are_independent():
    u = seeds.uniforms(11, 4000, 8)
    v = seeds.uniforms(11, 4000, 8, stream=seeds.LABELS)
    correlation = np.corrcoef(np.concatenate((u, v), axis=1).T) - np.eye(16)
    assert np.abs(correlation).max() < 5 / math.sqrt(4000)


# ---- distributions -----------------------------------------------------------------------------


def kolmogorov_smirnov(sample: np.ndarray, distribution: np.ndarray) -> float:
    """sqrt(n) times the largest distance between two distribution functions."""
    n = len(sample)
    steps = np.arange(n + 1) / n
    ordered = np.sort(distribution)
    return math.sqrt(n) * max((ordered - steps[:-1]).max(), (steps[1:] - ordered).max())


def test_uniforms_are_uniform_and_exact():
    u = seeds.uniforms(5, 2000, 10).ravel()
    assert kolmogorov_smirnov(u, u) < 1.63  # 1 % level
    odd = u * 2**25
    assert (odd == np.rint(odd)).all() and (odd % 2 == 1).all() and (odd < 2**25).all()


def test_latents_are_standard_normal():
    z = seeds.latents(5, 2000, 25).astype(np.float64)
    n = z.size
    assert abs(z.mean()) < 4 / math.sqrt(n)
    assert abs((z**2).mean() - 1) < 4 * math.sqrt(2 / n)
    assert abs((z**3).mean()) < 4 * math.sqrt(15 / n)
    assert abs((z**4).mean() - 3) < 4 * math.sqrt(96 / n)
    normal = np.asarray([0.5 * math.erfc(-x / math.sqrt(2)) for x in z.ravel()])
    assert kolmogorov_smirnov(z.ravel(), normal) < 1.63
    correlation = np.corrcoef(z.T) - np.eye(25)
    assert np.abs(correlation).max() < 5 / math.sqrt(2000)


def test_box_muller_by_hand():
    u = seeds.uniforms(9, 1, 2)[0]
    radius = math.sqrt(-2 * math.log(u[0]))
    expected = [radius * math.cos(2 * math.pi * u[1]), radius * math.sin(2 * math.pi * u[1])]
    np.testing.assert_allclose(seeds.latents(9, 1, 2)[0], expected, rtol=1e-7)


# ---- labels ------------------------------------------------------------------------------------


def test_sampled_labels_have_the_schemas_frequencies():
    n = 20_000
    rows = seeds.sample_labels(1, n, MAKEGIRLSMOE)
    p = np.concatenate([field.frequencies for field in MAKEGIRLSMOE.fields])
    assert (np.abs(rows.mean(axis=0) - p) < 4.5 * np.sqrt(p * (1 - p) / n)).all()


def test_tags_hold_and_leave_the_other_fields_as_they_were():
    free = seeds.sample_labels(1, 200, MIXED)
    held = seeds.sample_labels(1, 200, MIXED, {"hair": "blue", "smile": True, "year": 2005})
    assert not np.isnan(held).any()
    fixed = np.zeros(MIXED.size, bool)
    for name in ("hair", "smile", "year"):
        fixed[MIXED.slices()[name]] = True
    np.testing.assert_array_equal(held[:, ~fixed], free[:, ~fixed])
    for row in held:
        tags = MIXED.decode(row)
        assert (tags["hair"], tags["smile"], tags["year"]) == ("blue", True, 2005)


def test_unknown_tags_list_the_known_ones():
    with pytest.raises(ValueError, match="'hat_size'.*Known: hair, long_hair"):
        seeds.sample_labels(1, 1, MAKEGIRLSMOE, {"hat_size": 3})
    with pytest.raises(ValueError, match="one of: blonde, brown.*Received: 'mauve'"):
        seeds.sample_labels(1, 1, MAKEGIRLSMOE, {"hair": "mauve"})


# ---- names -------------------------------------------------------------------------------------

NAMES = {  # docs/seeds.md
    "Ada": 2418186336946463,
    "ａｄａ": 4025768490872537,
    "さくら": 1153341371679419,
    "2026-11-28": 7378726509286318,
}


def test_seeds_of_names():
    for name, seed in NAMES.items():
        assert seeds.seed_of(name) == seeds.seed_of(f"\n {name}\u3000") == seed
        assert f"| `{name}` | {seed} |" in SPECIFICATION
    assert seeds.seed_of("ada") == NAMES["ａｄａ"] != NAMES["Ada"]
    block = np.frombuffer(b"Ada\x80\0\0\0\0", "<u4")
    low, high = (int(x[0]) for x in seeds.threefry((0, 0), block[0], block[1]))
    assert NAMES["Ada"] == ((high ^ int(block[1])) % 2**21 << 32) + (low ^ int(block[0]))
    spread = [seeds.seed_of(f"name {i}") / 2**53 for i in range(2000)]
    assert abs(np.mean(spread) - 0.5) < 0.03 and len(set(spread)) == 2000
    for bad in ("", " \t", None, "\ud800"):
        with pytest.raises(ValueError, match="A name is text of one sign or more"):
            seeds.seed_of(bad)


# ---- twins -------------------------------------------------------------------------------------


def test_javascript_draws_the_same():
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: the JavaScript twin cannot run")
    fields = MIXED.to_json()["fields"]
    random = np.random.default_rng(0)
    rows = random.integers(0, 2, (40, MIXED.size)).astype(np.float32)
    rows[random.uniform(size=rows.shape) < 0.1] = np.nan
    kept = dataclasses.replace(MIXED, examples=rows)
    asked = [{}, {"hair": "blue"}, {"hair": "pink", "smile": True, "glasses": False}]
    given = [MIXED.encode(tags) for tags in asked]
    shared = {"dim": DIM, "truncation": TRUNCATION, "fields": fields, "names": list(NAMES)}
    shared |= {"rows": nulls(rows), "given": nulls(given)}
    questions = [{"seed": s, "first": f, "n": n, **shared} for s, f, n in CASES]
    answer = subprocess.run(
        [node, str(HERE / "latent_twin.mjs")],
        input=json.dumps(questions),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert answer.returncode == 0, answer.stderr
    for (seed, first, n), found in zip(CASES, json.loads(answer.stdout), strict=True):
        uniforms = seeds.uniforms(seed, n, DIM, first)
        assert found["uniforms"] == uniforms.tolist()
        assert found["seeds"] == list(NAMES.values())
        z = seeds.truncate(seeds.latents(seed, n, DIM, first), TRUNCATION)
        np.testing.assert_allclose(found["latents"], z, rtol=0, atol=1e-6)
        rows = seeds.sample_labels(seed, n, MIXED, first=first)
        np.testing.assert_array_equal(np.asarray(found["labels"], np.float32), rows)
        for tags, found_rows in zip(asked, found["examples"], strict=True):
            drawn = seeds.sample_labels(seed, n, kept, tags, first)
            known = np.array(found_rows, np.float32)  # null becomes NaN
            same = np.isnan(known) | ~np.isnan(MIXED.encode(tags)) | (known == drawn)
            assert same.all() and not np.isnan(known).all()
        arc = seeds.slerp(z[0], z[1], np.asarray([0, 0.25, 0.5, 0.9]))
        np.testing.assert_allclose(found["slerp"], arc, rtol=0, atol=2e-6)


def tensorflow_twin():
    """The map as graph operations: seed and first picture are tensors, as in a served model."""
    tf = pytest.importorskip("tensorflow")

    def u32(x):
        return tf.cast(tf.bitwise.bitwise_and(tf.cast(x, tf.int64), 0xFFFFFFFF), tf.uint32)

    def threefry(k0, k1, x0, x1):
        xor, left, right = (
            tf.bitwise.bitwise_xor,
            tf.bitwise.left_shift,
            tf.bitwise.right_shift,
        )
        keys = (k0, k1, xor(xor(tf.constant(0x1BD11BDA, tf.uint32), k0), k1))
        x0, x1 = x0 + keys[0], x1 + keys[1]
        for turn in range(20):
            r = seeds.ROTATIONS[turn % 8]
            x0 = x0 + x1
            rotated = left(x1, tf.constant(r, tf.uint32)) | right(
                x1, tf.constant(32 - r, tf.uint32)
            )
            x1 = xor(rotated, x0)
            if turn % 4 == 3:
                s = turn // 4 + 1
                x0 = x0 + keys[s % 3]
                x1 = x1 + keys[(s + 1) % 3] + tf.constant(s, tf.uint32)
        return x0, x1

    def uniforms(seed, first, n, k, stream):
        blocks = tf.range((k + 1) // 2, dtype=tf.int64)[None, :] + stream
        pictures = first + tf.range(n, dtype=tf.int64)[:, None]
        blocks, pictures = blocks + 0 * pictures, pictures + 0 * blocks
        x = threefry(u32(seed), u32(seed // 2**32), u32(blocks), u32(pictures))
        x = tf.reshape(tf.stack(x, axis=-1), (n, -1))[:, :k]
        whole = tf.bitwise.right_shift(x, tf.constant(8, tf.uint32))
        return (tf.cast(whole, tf.float64) + 0.5) * 2.0**-24

    def labels(u, schema):
        columns = []
        for f, field in enumerate(schema.fields):
            p = np.asarray(field.frequencies or field.default_frequencies(), np.float64)
            if field.kind == "flag":
                columns.append(tf.cast(u[:, f : f + 1] < p[0], tf.float32))
            elif field.kind == "group":
                edges = np.cumsum(p / np.cumsum(p)[-1])[:-1]
                chosen = tf.reduce_sum(tf.cast(u[:, f : f + 1] >= edges, tf.int32), axis=1)
                columns.append(tf.one_hot(chosen, len(p)))
            else:
                j = tf.floor(u[:, f] * 16)
                low, high = (
                    tf.gather(p, tf.cast(j, tf.int32)),
                    tf.gather(p, tf.cast(j, tf.int32) + 1),
                )
                columns.append(
                    tf.cast((high - low) * 16 * (u[:, f] - j / 16) + low, tf.float32)[:, None]
                )
        return tf.concat(columns, axis=1)

    @tf.function
    def draw(seed, first, n):
        pairs = tf.reshape(uniforms(seed, first, n, DIM + DIM % 2, 0), (n, -1, 2))
        radius = tf.sqrt(-2.0 * tf.math.log(pairs[..., 0]))
        angle = 2.0 * np.pi * pairs[..., 1]
        z = tf.stack((radius * tf.cos(angle), radius * tf.sin(angle)), axis=-1)
        z = tf.cast(tf.reshape(z, (n, -1))[:, :DIM], tf.float32) * np.float32(TRUNCATION)
        rows = labels(uniforms(seed, first, n, len(MIXED.fields), 0x80000000), MIXED)
        return uniforms(seed, first, n, DIM, 0), z, rows

    return lambda *numbers: draw(*(tf.constant(x, tf.int64) for x in numbers))


def test_tensorflow_draws_the_same():
    draw = tensorflow_twin()
    for seed, first, n in CASES:
        uniforms, z, rows = (x.numpy() for x in draw(seed, first, n))
        np.testing.assert_array_equal(uniforms, seeds.uniforms(seed, n, DIM, first))
        expected = seeds.truncate(seeds.latents(seed, n, DIM, first), TRUNCATION)
        np.testing.assert_allclose(z, expected, rtol=0, atol=1e-6)
        np.testing.assert_array_equal(rows, seeds.sample_labels(seed, n, MIXED, first=first))


# ---- errors ------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [-1, 2**53, 1.5, "7", None, True])
def test_a_bad_seed_is_refused(seed):
    with pytest.raises(ValueError, match="seed is a whole number from 0 to 9007199254740991"):
        seeds.latents(seed, 1, 4)


@pytest.mark.parametrize(
    "arguments",
    [{"n": 0}, {"n": -3}, {"n": 2.0}, {"dim": 0}, {"first": -1}, {"first": 2**32}]
    + [{"n": 2, "first": 2**32 - 1}, {"dim": 2**31}],
)
def test_bad_counts_are_refused(arguments):
    with pytest.raises(ValueError, match="is a whole number from .* Received: "):
        seeds.latents(**{"seed": 1, "n": 1, "dim": 4, **arguments})


def test_numpy_whole_numbers_are_welcome():
    found = seeds.latents(np.int64(7), np.int32(2), np.uint8(4), np.int64(1))
    np.testing.assert_array_equal(found, seeds.latents(7, 2, 4, 1))


def test_importing_loads_no_tensorflow():
    code = (
        "import sys, tfanime.core.seeds, tfanime.sampling.generate; "
        "sys.exit(any(name in sys.modules for name in ('tensorflow', 'keras')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=HERE.parent, timeout=60)
