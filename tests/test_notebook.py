"""How results show themselves in notebooks: pictures, tables, short names."""

from __future__ import annotations

import base64
import io
import json
import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

import tfanime
from tfanime.core import images, notebook
from tfanime.core.decode import read_image
from tfanime.core.labels import Field, LabelSchema
from tfanime.evaluation.report import Figure, Report
from tfanime.sampling.generated import Generated
from tfanime.training.run import Run

SCHEMA = LabelSchema((Field("hair<b>", "group", ("blue", "red")),))


def shots(count=70):
    return np.random.default_rng(0).integers(0, 256, (count, 4, 6, 3), np.uint8)


def drawn(count=70, **options):
    latents = np.zeros((count, 3), np.float32)
    return Generated(
        shots(count),
        latents,
        None,
        None,
        **{"seed": 7, "indices": np.arange(16, 16 + count), **options},
    )


def read_png(data):
    return np.asarray(Image.open(io.BytesIO(data)))


def inlined(markup):
    return read_png(base64.b64decode(re.search(r"base64,([^\"]+)", markup).group(1)))


def test_generated_is_a_sheet_and_a_short_name():
    faces = drawn()
    assert repr(faces) == "<Generated: 70 images of 6x4, seed 7, 16 to 85>"
    assert repr(drawn(seed=None, indices=None)) == "<Generated: 70 images of 6x4, without a seed>"
    assert len(faces) == 70
    np.testing.assert_array_equal(read_png(faces._repr_png_()), images.grid(shots()[:64]))
    np.testing.assert_array_equal(faces.grid(columns=5), images.grid(shots()[:64], 5))


def test_generated_saves_by_its_ending(tmp_path):
    faces = drawn(3)
    faces.save(tmp_path / "sheet.png", columns=3)
    sheet = np.asarray(read_image(tmp_path / "sheet.png"))
    np.testing.assert_array_equal(sheet, images.grid(shots(3), 3))
    faces.save(tmp_path / "loop.gif")
    with Image.open(tmp_path / "loop.gif") as loop:
        assert loop.n_frames == 3
    faces.save(tmp_path / "faces")
    names = sorted(file.name for file in (tmp_path / "faces").iterdir())
    assert names == [f"seed7_{i:06d}.png" for i in (16, 17, 18)]
    stored = np.asarray(read_image(tmp_path / "faces" / names[1]))
    np.testing.assert_array_equal(stored, shots(3)[1])
    with pytest.raises(ValueError, match="ends in"):
        faces.save(tmp_path / "a.tiff")


@pytest.mark.parametrize("inside", [True, False])
def test_show_in_a_notebook_and_in_a_window(monkeypatch, inside):
    seen = []
    display = SimpleNamespace(display=lambda image: seen.append(("cell", image.size)))
    shell = SimpleNamespace(get_ipython=lambda: object() if inside else None, display=display)
    monkeypatch.setitem(sys.modules, "IPython", shell)
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    monkeypatch.setattr(Image.Image, "show", lambda image: seen.append(("window", image.size)))
    drawn(1).show()
    assert seen == [("cell" if inside else "window", (10, 8))]


def test_a_dataset_is_a_table_and_a_sheet():
    data = tfanime.from_arrays(shots(5), np.eye(2, dtype=np.float32)[[0, 0, 1, 0, 1]], SCHEMA)
    markup = data._repr_html_()
    assert "5 of 6x4" in markup and "blue 3, red 2" in markup
    assert "hair&lt;b&gt;" in markup and "<b>" not in markup
    np.testing.assert_array_equal(inlined(markup), images.grid(shots(5)))


def test_a_report_is_a_table(tmp_path, capsys):
    protocol = {"counts": "9"}
    figure = Figure("fid", 123.456, 50.0, "lower", protocol, judge="tagger")
    report = Report({"name": "x"}, {"name": "y"}, (figure,), {"is": "no <labels>"}, {}, 1.0)
    markup = report._repr_html_()
    assert "<td>fid</td><td>123.5</td><td>50.00</td><td>tagger</td>" in markup
    assert "not measured: no &lt;labels&gt;" in markup
    report.show()
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["generated", "real"],
        ["fid", "123.5", "50.00"],
    ]
    report.save(tmp_path / "report.json")
    assert json.loads((tmp_path / "report.json").read_text())["figures"][0]["value"] == 123.456
    with pytest.raises(ValueError, match=".json. Received: 'r.html'"):
        report.save("r.html")


def test_a_run_is_a_table_and_its_last_sheet(tmp_path):
    run = Run(tmp_path, 1200, 9600, 90.0, False, ("collapse & fall",))
    markup = run._repr_html_()
    assert "1,200" in markup and "stopped early" in markup and "collapse &amp; fall" in markup
    assert "<img" not in markup
    images.save_grid(tmp_path / "final.png", shots(4))
    np.testing.assert_array_equal(run.grid(), images.grid(shots(4)))
    np.testing.assert_array_equal(inlined(run._repr_html_()), run.grid())


def test_tables_hold_what_strangers_write():
    assert notebook.table([("<script>", "a\x1b[2J")]) == (
        "<table><tbody><tr><td>&lt;script&gt;</td><td>a[2J</td></tr></tbody></table>"
    )
