"""Sets made in parts in object storage are those that one process makes."""

import io
import json
import zipfile

import numpy as np
import pytest
from PIL import Image

from tests import scripts
from tfanime.data import PackedDataset
from tfanime.drawn.render import render
from tfanime.prepare import parallel
from tfanime.prepare.parallel import prepare_parallel

fsspec = pytest.importorskip("fsspec", reason="object storage needs tfanime[storage]")
FEW = {"size": 8, "engine": "none", "progress": False}


@pytest.fixture(autouse=True)
def storage(tmp_path, monkeypatch):
    monkeypatch.setenv("TFANIME_CACHE", str(tmp_path / "cache"))
    memory = fsspec.filesystem("memory")
    memory.store.clear()
    yield memory
    memory.store.clear()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """70 faces, drawn as `"drawn:70"` is."""
    folder = tmp_path_factory.mktemp("drawn") / "packed"
    render(folder, 70, 8, progress=False)
    return PackedDataset.open(folder)


def test_drawn_in_parts(storage, whole):
    assert prepare_parallel("drawn:70", "memory://bucket/faces", per_part=30, **FEW) == 70
    made = PackedDataset.open("memory://bucket/faces")
    assert len(made._shards._files) == 3 and made.sha256 == whole.sha256
    assert made.schema == whole.schema and made.labels_from == "drawn"
    np.testing.assert_array_equal(made.images(), whole.images())
    np.testing.assert_array_equal(made.labels(), whole.labels())
    names = [json.loads((one.path / "files.json").read_text()) for one in (made, whole)]
    assert names[0] == names[1]
    assert not storage.exists("/bucket/faces/.parts")


def test_it_goes_on_where_it_was_stopped(whole, monkeypatch):
    made, draw = [], parallel.draw_faces

    def failing(*arguments, first, **options):
        if len(made) == 2:
            raise OSError("the machine goes")
        made.append(first)
        return draw(*arguments, first=first, **options)

    monkeypatch.setattr(parallel, "draw_faces", failing)
    with pytest.raises(OSError, match="the machine goes"):
        prepare_parallel("drawn:70", "memory://bucket/faces", per_part=30, **FEW)
    with pytest.raises(ValueError, match="folder with a dataset.json"):  # not yet a set
        PackedDataset.open("memory://bucket/faces")
    assert made == [0, 30]
    made.clear()
    prepare_parallel("drawn:70", "memory://bucket/faces", per_part=30, **FEW)
    assert made == [60]
    assert PackedDataset.open("memory://bucket/faces").sha256 == whole.sha256
    prepare_parallel("drawn:70", "memory://bucket/faces", per_part=30, **FEW)
    assert made == [60]  # all was there


@pytest.mark.parametrize("begun", [False, True])
def test_another_set_is_not_mixed_with_it(begun, monkeypatch):
    if begun:
        monkeypatch.setattr(parallel, "make", lambda part: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            prepare_parallel("drawn:40", "memory://bucket/faces", **FEW)
    else:
        prepare_parallel("drawn:40", "memory://bucket/faces", **FEW)
    with pytest.raises(ValueError, match="another set or the beginning of one"):
        prepare_parallel("drawn:41", "memory://bucket/faces", **FEW)


def archived(storage, name: str, colours: list[int], table: str | None) -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for colour in colours:
            png = io.BytesIO()
            Image.new("RGB", (8, 8), (colour, 0, 0)).save(png, "PNG")
            archive.writestr(f"{colour}.png", png.getvalue())
        archive.writestr("bad.png", b"no picture")
    storage.pipe_file(f"/raw/{name}.zip", content.getvalue())
    if table is not None:
        storage.pipe_file(f"/raw/{name}.csv", table.encode())


def table(column: str, colours: list[int]) -> str:
    """Red and blue by turns; nothing is said of the last."""
    words = ["red", "blue"] * len(colours)
    rows = [f"{c}.png,{word}\n" for c, word in zip(colours[:-1], words, strict=False)]
    return f"file,{column},always\n" + "".join(rows).replace("\n", ",same\n")


def test_archives_with_their_tables(storage):
    colours = [10, 20, 30, 40, 50], [60, 70, 80, 90, 100, 110, 120]
    for name, some in zip(("a.1", "b"), colours, strict=True):
        archived(storage, name, some, table("hair", some))
    assert prepare_parallel("memory://raw/*.zip", "memory://bucket/faces", **FEW) == 12
    made = PackedDataset.open("memory://bucket/faces")
    assert made.images()[:, 0, 0, 0].tolist() == [*colours[0], *colours[1]]
    assert made.schema.columns == ("blue_hair", "red_hair")
    turns = [[0, 1], [1, 0]] * 3
    unknown = [[np.nan, np.nan]]
    np.testing.assert_array_equal(made.labels(), [*turns[:4], *unknown, *turns, *unknown])
    assert made.schema.fields[0].frequencies == (0.5, 0.5)
    stored = json.loads((made.path / "dataset.json").read_text())
    assert [one["file"] for one in stored["rejected"]] == ["bad.png", "bad.png"]
    assert list(stored["ignored_columns"]) == ["always"]
    archived(storage, "b", [31], None)
    with pytest.raises(ValueError, match="another set"):  # one of the archives has changed
        prepare_parallel("memory://raw/*.zip", "memory://bucket/faces", **FEW)


def test_archives_with_other_labels(storage):
    colours = [10, 20, 30, 40, 50]
    for name, column in (("a", "hair"), ("b", "eyes")):
        archived(storage, name, colours, table(column, colours))
    with pytest.raises(ValueError, match="memory://.*b.zip' with eyes, and .*a.zip' with hair"):
        prepare_parallel(["memory://raw/a.zip", "memory://raw/b.zip"], "memory://x", **FEW)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"engine": "beam"}, "engine is one of: ray, none"),
        ({"source": "drawn:0"}, "'drawn:COUNT' faces are square"),
        ({"source": "drawn:9", "size": (8, 16)}, "faces are square"),
        ({"source": "drawn:9", "per_part": 0}, "faces are square"),
        ({"source": []}, "Received: none, where there is none"),
        ({"source": "memory://none/*.tar"}, "where there is none"),
    ],
)
def test_refusals(arguments, message):
    options = {"source": "drawn:9", "out": "memory://x", **FEW} | arguments
    with pytest.raises(ValueError, match=message):
        prepare_parallel(**options)


def test_the_script(tmp_path, capsys):
    main = scripts.load("cluster/prepare_parallel").main
    words = ["drawn:9", "--out", str(tmp_path / "set"), "--size", "8", "--engine", "none"]
    main(words)
    assert capsys.readouterr().out == f"9 images: {tmp_path / 'set'}\n"
    assert len(PackedDataset.open(tmp_path / "set")) == 9
    with pytest.raises(SystemExit, match="Error: The place to prepare into must be new"):
        main(["drawn:8", *words[1:]])


@pytest.mark.slow
def test_on_rays_local_workers(tmp_path, whole):
    """The same set, by processes of Ray's on this machine; what they raise comes as it is."""
    pytest.importorskip("ray.data", reason="preparing in parallel needs tfanime[parallel]")
    options = FEW | {"engine": "ray"}
    assert prepare_parallel("drawn:70", str(tmp_path / "set"), per_part=30, **options) == 70
    made = PackedDataset.open(tmp_path / "set")
    assert made.sha256 == whole.sha256
    np.testing.assert_array_equal(made.images(), whole.images())
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "a.zip").write_bytes(b"none")
    with pytest.raises(ValueError, match="a.zip") as caught:
        prepare_parallel(str(tmp_path / "raw" / "*.zip"), str(tmp_path / "other"), **options)
    assert "\n" not in str(caught.value)
