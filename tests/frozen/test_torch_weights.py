"""Files of torch, read without it."""

import os
import pickle

import numpy as np
import pytest
import torch_files

from tfanime.frozen.torch_weights import read_torch

NUMBERS = np.arange(24, dtype=np.float32)


def test_tensors_are_views_of_their_storages(tmp_path):
    tensors = {
        "plain": torch_files.tensor("b", NUMBERS, 0, (2, 3, 4), (12, 4, 1)),
        "turned": torch_files.tensor("b", NUMBERS, 0, (4, 3, 2), (1, 4, 12)),
        "part": torch_files.tensor("b", NUMBERS, 5, (2, 2), (12, 3)),
        "one": torch_files.tensor("a", np.array([7]), 0, (), ()),
    }
    torch_files.write(tmp_path / "x.pth", tensors)
    found = read_torch(tmp_path / "x.pth")
    assert list(found) == list(tensors)
    np.testing.assert_array_equal(found["plain"], NUMBERS.reshape(2, 3, 4))
    np.testing.assert_array_equal(found["turned"], NUMBERS.reshape(2, 3, 4).T)
    np.testing.assert_array_equal(found["part"], [[5, 8], [17, 20]])
    assert found["one"] == 7 and found["one"].dtype == np.int64
    assert found["part"].dtype == np.float32


@pytest.mark.parametrize(
    ("offset", "shape", "strides"), [(20, (5,), (1,)), (0, (3, 2), (12, 1)), (4, (3,), (-2,))]
)
def test_a_tensor_beyond_its_storage_is_refused(tmp_path, offset, shape, strides):
    tensors = {"x": torch_files.tensor("a", NUMBERS, offset, shape, strides)}
    torch_files.write(tmp_path / "x.pth", tensors)
    with pytest.raises(ValueError, match="reaches beyond its numbers"):
        read_torch(tmp_path / "x.pth")


class Runs:
    def __reduce__(self):
        return os.mkdir, ("made",)


def test_a_file_cannot_run_code(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.pth").write_bytes(pickle.dumps(Runs(), 2))
    with pytest.raises(ValueError, match="format before torch 1.6.*x.pth.*mkdir"):
        read_torch("x.pth")
    assert not (tmp_path / "made").exists()


def test_other_files_are_refused(tmp_path):
    torch_files.write(tmp_path / "x.pth", {"x": torch_files.whole("a", NUMBERS)})
    content = (tmp_path / "x.pth").read_bytes()
    for other in (content[:-4], b"PK\x03\x04 of torch 1.6", b"", pickle.dumps([1], 2) * 5):
        (tmp_path / "x.pth").write_bytes(other)
        with pytest.raises(ValueError, match="format before torch 1.6"):
            read_torch(tmp_path / "x.pth")
