import numpy as np
import pytest
from broken_files import encoded, face
from PIL import Image

from tfanime.prepare.check import (
    Duplicates,
    Rejected,
    check_picture,
    difference_hash,
    differing_bits,
    summary,
)


def test_check_picture_fits():
    stored = check_picture(encoded(face(1, 60, 40)), 32, 32)
    assert stored.shape == (32, 32, 3) and stored.dtype == np.uint8
    with pytest.raises(ValueError, match="^too small: 40 x 60, at least 41 wanted$"):
        check_picture(encoded(face(1, 60, 40)), 32, 32, smallest=41)
    with pytest.raises(ValueError, match="^not a picture: text$"):
        check_picture(b"text", 32, 32)


def test_names_cannot_drive_a_terminal():
    one = Rejected("a\x1b[2J\n\u2028\x9b\ud800顔\u3000.png", "damaged", "\x1b]0;title\x07")
    shown = "a[2J  顔 .png"  # every kind of space is one, and what a terminal obeys is gone
    assert str(one) == f"{shown}: damaged: ]0;title"
    assert summary([one]) == [f"damaged: 1 ({shown})"]


def test_rejected_keeps_reason_and_detail_apart():
    one = Rejected.because("a.png", ValueError("damaged: cut: here"), 7)
    assert (one.reason, one.detail, one.row) == ("damaged", "cut: here", 7)
    assert str(one) == "a.png (line 7): damaged: cut: here"
    assert Rejected("a", "link").to_json() == {"file": "a", "reason": "link"}
    assert Rejected(**one.to_json()) == one


def test_summary_is_one_line_a_reason():
    found = [Rejected(f"{i}.png", "damaged") for i in range(1200)] + [
        Rejected("t", "bad row", "", 3)
    ]
    assert summary(found) == [
        "damaged: 1,200 (0.png, 1.png, 2.png, ...)",
        "bad row: 1 (t line 3)",
    ]


def test_difference_hash_by_hand():
    ramp = np.zeros((16, 17, 3), np.uint8)
    ramp[..., :] = (np.arange(17) * 15)[None, :, None]
    hashed = difference_hash(ramp)
    assert hashed.shape == (4,) and hashed.dtype == np.uint64
    assert (hashed == np.uint64(2**64 - 1)).all()  # every cell is darker than its right neighbour
    assert (difference_hash(ramp[:, ::-1]) == 0).all()
    ramp[3, 5] = 0  # brighter than 4 and darker than 6 before: one comparison turns
    assert differing_bits(hashed[:, None], difference_hash(ramp)).tolist() == [1]


def test_differing_bits_without_numpy_2(monkeypatch):
    hashes = np.random.default_rng(0).integers(0, 2**63, (4, 50)).astype(np.uint64)
    expected = [
        sum(bin(int(a) ^ int(b)).count("1") for a, b in zip(column, hashes[:, 0], strict=True))
        for column in hashes.T
    ]
    assert differing_bits(hashes, hashes[:, 0]).tolist() == expected
    monkeypatch.delattr(np, "bitwise_count", raising=False)
    assert differing_bits(hashes, hashes[:, 0]).tolist() == expected


def test_duplicates():
    known = Duplicates()
    pixels = [np.asarray(face(i, 64, 64)) for i in range(3)]
    for i in range(2):
        known.check(f"{i}.png", pixels[i])
    with pytest.raises(ValueError, match="^duplicate: same pixels as 1.png$"):
        known.check("again.png", pixels[1].copy())
    known.check("2.png", pixels[2])


def test_near_duplicates_survive_recoding_and_resizing():
    known = Duplicates(near=True)
    for i in range(1100):  # more than the first table holds
        known.check(f"{i}.png", np.asarray(face(i, 16, 17)))
    first = Image.fromarray(np.asarray(face(5, 16, 17)))
    altered = np.asarray(first.resize((68, 64), Image.Resampling.BICUBIC)) // 2 + 20
    with pytest.raises(ValueError, match=r"^near duplicate: \d+ of 256 hash bits away from 5.png$"):
        known.check("altered.png", altered)
    Duplicates().check("altered.png", altered)
