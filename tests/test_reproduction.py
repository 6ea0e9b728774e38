"""What the scripts of docs/reproduction.md do with figures; the report itself has every block."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tfanime.core.labels import MAKEGIRLSMOE

ROOT = Path(__file__).resolve().parents[1]
SEEDS = "abcd"


@pytest.fixture(scope="module", autouse=True)
def scripts():
    """Scripts import each other."""
    sys.path.insert(0, str(ROOT / "scripts" / "studies"))
    yield
    sys.path.remove(str(ROOT / "scripts" / "studies"))


@pytest.fixture
def reproduction():
    import reproduction

    return reproduction


def write_json(path: Path, value) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def size(file) -> tuple[int, int]:
    with Image.open(file) as picture:
        return picture.size


# ---- the notebook ------------------------------------------------------------------------------


def test_it_measures_once_and_again_when_something_changed(reproduction, tmp_path):
    asked = []

    def measure():
        asked.append(1)
        return {"fid": 2.5}

    for step, times in ((10, 1), (10, 1), (20, 2)):
        book = reproduction.Notebook("b", tmp_path)
        assert book.once("quality", measure, "run", step) == {"fid": 2.5}
        assert len(asked) == times


def test_blocks_take_their_places_and_prose_stays(reproduction, tmp_path):
    report = tmp_path / "docs" / "report.md"
    report.parent.mkdir()
    report.write_text(
        "Before.\n\n<!-- d.faces -->\nold\n\nold\n<!-- end -->\n\nAfter: it agrees.\n"
    )
    book = reproduction.Notebook("d", tmp_path / "out", report)
    shown = book.picture("faces", np.zeros((8, 8, 3), np.uint8), "black")
    book.block("faces", "| a |", "", shown)
    book.write()
    assert report.read_text() == (
        "Before.\n\n<!-- d.faces -->\n| a |\n\n![black](images/reproduction_d_faces.webp)\n"
        "<!-- end -->\n\nAfter: it agrees.\n"
    )
    picture = report.parent / "images" / "reproduction_d_faces.webp"
    assert size(picture) == (8, 8)
    assert "](reproduction_d_faces.webp)" in (tmp_path / "out" / "section.md").read_text()


def test_a_block_without_a_place_is_an_error(reproduction):
    text = "<!-- a.x -->\n<!-- end -->\n<!-- a.y -->\n<!-- end -->\n"
    assert reproduction.filled(text, {"a.x": "1", "a.y": "2"}) == (
        "<!-- a.x -->\n1\n<!-- end -->\n<!-- a.y -->\n2\n<!-- end -->\n"
    )
    with pytest.raises(ValueError, match="one place for each block.*a.z.*Received: 0"):
        reproduction.filled(text, {"a.z": "3"})


def test_numbers_and_tables(reproduction):
    values = [None, 51_200, 4607.56, 13.42, 0.067, -0.0004, 0.0]
    told = ["", "51,200", "4,608", "13.4", "0.07", "-0.00", "0"]
    assert [reproduction.number(x) for x in values] == told
    assert reproduction.table(["a", "b"], [["x", 0.5], ["y", None]]) == (
        "| a | b |\n| --- | --- |\n| x | 0.50 |\n| y |  |"
    )


def test_a_picture_is_never_too_large(reproduction):
    noise = np.random.default_rng(0).integers(0, 256, (1600, 1600, 3), np.uint8)
    file = reproduction.small_webp(noise)
    assert len(file) <= reproduction.LARGEST
    assert size(io.BytesIO(file))[0] in (800, 1600)


def test_rows_of_pictures_of_two_sizes(reproduction):
    black, white = np.zeros((3, 4, 4, 3), np.uint8), np.full((3, 8, 8, 3), 255, np.uint8)
    sheet = reproduction.rows_of([black, white])
    assert sheet.shape == (2 + 2 * 10, 2 + 3 * 10, 3)
    assert (sheet == 0).all(axis=2).sum() == 3 * 8 * 8


# ---- the scripts -------------------------------------------------------------------------------


def test_seed_a_shows_ours_beside_theirs(tmp_path):
    import reproduce_seed_a as script

    row = {"set": "anime", "scenario": "tags", "recipe": "cdcgan-sn", "images": 544}
    row["fid"] = {"value": 182.6, "floor": 19.1}
    text = script.results({"anime/tags/cdcgan-sn": row}).splitlines()
    assert text[2].startswith("| the study | `cdcgan-sn` |  | 166.40 |  | 90.17 |")
    assert text[3].startswith("| tags | `cdcgan-sn` | 544 | 183 (19.1) | - |")


def test_seed_b_counts_weights_and_frequencies(tmp_path):
    import reproduce_seed_b as script

    assert script.share(MAKEGIRLSMOE, "glasses") == 0.054
    assert script.share(MAKEGIRLSMOE, "drill_hair") == 0.25
    hair = [script.share(MAKEGIRLSMOE, c) for c in MAKEGIRLSMOE.columns if c.endswith("_hair")][:13]
    assert sum(hair) == pytest.approx(1)


def test_seed_b_takes_shipped_figures_only_of_the_same_pictures(tmp_path):
    import reproduce_seed_b as script

    figures = [{"name": "fid", "protocol": {"real set": "abc", "extractor": "tagger"}}]
    write_json(tmp_path / "figures.json", {"figures": figures})
    (tmp_path / "generator.keras").write_bytes(b"")

    class Held:
        sha256 = "abc"

    assert script.figures_of(None, tmp_path, None, Held, ["tagger"]) == figures
    with pytest.raises(AttributeError):  # goes on to measure
        script.figures_of(None, tmp_path, None, Held, ["tagger", "mobilenet:x"])


def test_seed_d_reads_what_the_watch_followed(tmp_path):
    import reproduce_seed_d as script

    from tfanime.training.collapse import ADVICE

    rows = ["step,d_real,d_fake,g_grad_norm,diversity"]
    rows += ["100,0.9,0.1,9,0.1", "300,0.8,0.3,4,0.8", "400,0.7,0.4,2,0.9"]
    (tmp_path / "log.csv").write_text("\n".join(rows) + "\n")
    warnings = [f"Step 300: {ADVICE[kind]} (...)" for kind in ("collapse", "vanishing")]
    write_json(tmp_path / "checkpoints/step-000000400/meta.json", {"warnings": warnings})
    assert script.watched(tmp_path) == {
        "spread": {"last": 0.9, "least": 0.8},  # the first 300 steps are left out
        "generator's gradient": {"median": 4.0, "least": 2.0},
        "d_real": 0.7,
        "d_fake": 0.4,
        "collapse": 1,
        "saturation": 0,
        "vanishing": 1,  # warned of whatever the loss, since version 0.2
    }


class Doubler:
    """A stand-in for a loaded upscaler: every pixel four times."""

    factor, margin, name = 2, 1, "doubler"

    def __call__(self, pictures):
        return pictures.repeat(2, axis=1).repeat(2, axis=2)


def test_an_upscaler_that_repeats_pixels_is_as_good_as_nearest():
    import compare_upscalers

    real = np.random.default_rng(0).integers(0, 256, (10, 16, 16, 3), np.uint8)
    rows = compare_upscalers.measure(Doubler(), real)
    assert [row["input"] for row in rows] == ["clean"] * 4 + ["worse"] * 4
    for kind in ("clean", "worse"):
        here = {row.pop("enlarged by"): row for row in rows if row["input"] == kind}
        assert here["doubler"] == here["nearest"] != here["bicubic"]
    sheet = compare_upscalers.sheet(Doubler(), real[:8])
    assert sheet.shape == (2 + 7 * 18, 2 + 8 * 18, 3)
    np.testing.assert_array_equal(sheet[2:18, 2:18], real[0])


# ---- the report --------------------------------------------------------------------------------


def test_the_report_says_what_the_works_say():
    import reproduce_seed_b as script

    report = (ROOT / "docs" / "reproduction.md").read_text(encoding="utf-8")
    # Table 2 of MakeGirlsMoe: all 34, whose mean is 0.80.
    theirs = script.REPORTED_PRECISION
    assert set(theirs) == set(MAKEGIRLSMOE.columns)
    assert np.mean(list(theirs.values())) == pytest.approx(0.80, abs=0.005)
    for column, precision in theirs.items():
        row = rf"\| {column.replace('_', ' ')} \| [^|]+ \| [^|]+ \| {precision:.2f} \|"
        assert re.search(row, report), column
    assert "names no model and reports no results" in " ".join(report.split())
    assert "Anime Faces\nDCGAN" not in report and "Anime Faces DCGAN" not in report
    assert "mixed up" in report and "DCGAN with WGAN is best" in report


@pytest.mark.parametrize(
    "seed, counts",
    [
        ("a", "Ours are of 400 posters"),
        ("b", "500 generated, 500 real, 500 other real"),
        ("c", "300 pictures each, fewer than features: FID reads high"),
        ("d", "figures of 1,000 pictures"),
    ],
)
def test_every_part_says_how_it_was_made_and_of_how_many_images(seed, counts):
    report = (ROOT / "docs" / "reproduction.md").read_text(encoding="utf-8")
    parts = re.split(r"^## ", report, flags=re.MULTILINE)
    (part,) = (one for one in parts if one.startswith(f"{seed.upper()}: "))
    part = " ".join(part.split())
    assert f"reproduce_seed_{seed}.py` ([below](#again))" in part
    assert counts in part


def test_means_are_those_of_their_columns():
    report = (ROOT / "docs" / "reproduction.md").read_text(encoding="utf-8")
    block = report.split("<!-- b.attributes -->")[1].split("<!-- end -->")[0]
    rows = [line.strip("| ").split(" | ") for line in block.splitlines() if line.startswith("| ")]
    rows = {row[0]: row for row in rows}
    names = [column.replace("_", " ") for column in MAKEGIRLSMOE.columns]
    (told,) = (row for name, row in rows.items() if name.endswith("told well**"))
    for place in (4, 5):
        seen = [float(rows[name][place].split()[0]) for name in names]
        assert float(rows["**mean of 34**"][place]) == pytest.approx(np.mean(seen), abs=0.01)
        fair = [cell for name in names for cell in re.findall(r"\((.*)\)", rows[name][place])]
        assert told[0] == f"**of the {len(fair)} told well**"
        mean = float(re.search(r"\((.*)\)", told[place]).group(1))
        assert mean == pytest.approx(np.mean([float(x) for x in fair]), abs=0.01)


def numbers_of(cells):
    return [float(cell.split()[0].replace(",", "")) for cell in cells]


def test_what_is_said_of_posters_is_what_the_tables_have():
    """The prose once kept the figures of another set of posters."""
    report = (ROOT / "docs" / "reproduction.md").read_text(encoding="utf-8")
    prose = " ".join(report[report.index("**The mood is there") :].split("\n\n")[0].split())
    page = (ROOT / "docs" / "posters.md").read_text(encoding="utf-8")
    row = r"^\| (?:tags|descriptions|both) \| (`[\w-]+`) \| ([\d,]+) \| (.*) \|$"
    rows = re.findall(row, page, re.MULTILINE)
    cells = [(name, seen, numbers_of(rest.split(" | "))) for name, seen, rest in rows]
    assert len(cells) == 24
    fids = [one[0] for *_, one in cells]
    assert f"FIDs of {min(fids):.0f} to {max(fids):,.0f} where real posters have 193" in prose
    brighter = sum(one[-2] >= 0.08 for *_, one in cells)
    assert f"in {brighter} of the 24 cells" in prose

    def mean(name, seen, place):
        return np.mean([one[place] for n, s, one in cells if (n, s) == (f"`{name}`", seen)])

    for name, called in {
        "infogan": "InfoGAN",
        "ac-infogan": "AC+InfoGAN",
        "cdcgan-sn": "CDCGAN+SN",
        "clsgan": "LSGAN",
    }.items():
        assert f"{called} ({mean(name, '48,000', 0):.0f})" in prose, called
    assert f"is last ({mean('wgan-gp', '48,000', 0):,.0f})" in prose
    between = [mean(name, "48,000", 4) for name in ("cdcgan-sn", "ac-infogan")]
    assert "ours differ less ({:.0f} against {:.0f}".format(*between) in prose
    scores = [one[2] for *_, one in cells]
    assert f"{min(scores):.2f} to {max(scores):.2f} of all images together" in prose


def test_times_in_the_browser_are_those_of_table_4():
    report = (ROOT / "docs" / "reproduction.md").read_text(encoding="utf-8")
    assert "3,330 to 11,550; Chromium 59 on an i3: 53,610" in report


def test_the_report_shows_pictures_that_are_there():
    report = (ROOT / "docs" / "reproduction.md").read_text(encoding="utf-8")
    for seed in SEEDS:
        assert re.search(rf"<!-- {seed}\.\w+ -->\n[^<]", report), f"no block of seed {seed}"
    pictures = re.findall(r"\]\((images/[\w.]+)\)", report)
    assert pictures
    for picture in pictures:
        assert 0 < (ROOT / "docs" / picture).stat().st_size <= 400_000, picture
