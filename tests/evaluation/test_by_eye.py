"""Judging by eye: what the judge gets, and what a filled form turns into."""

import csv
import json
import shutil

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from tfanime.cli import main
from tfanime.core.labels import MAKEGIRLSMOE, Field, LabelSchema
from tfanime.evaluation import by_eye
from tfanime.sampling.generate import generate
from tfanime.zoo import saved


class Stripes:
    """A stand-in for a generator: the left half has the colour of the latents, the right half
    shows the labels too."""

    latent_dim, height, width, name = 3, 16, 32, "stripes"

    def __init__(self, schema=None):
        self.schema = schema

    def __call__(self, latents, labels=None):
        drawn = np.repeat(np.tanh(latents)[:, None, None], 16, axis=1).repeat(32, axis=2)
        if labels is not None:
            drawn[:, :, 16:, 0] = labels.argmax(axis=1)[:, None, None] / 17 - 1
        return drawn.astype(np.float32)


@pytest.fixture(scope="module")
def loaded():
    """`runs/a` and `runs/b` have labels, `runs/grey` has none."""
    loaded = {"runs/a": Stripes(MAKEGIRLSMOE), "runs/b": Stripes(MAKEGIRLSMOE)}
    return loaded | {"runs/grey": Stripes()}


@pytest.fixture
def models(loaded, monkeypatch):
    monkeypatch.setattr(saved, "load_generator", loaded.__getitem__)
    return loaded


@pytest.fixture(scope="module")
def drawn(loaded, tmp_path_factory):
    """Sheets of all of them, which tests have copies of."""
    folder = tmp_path_factory.mktemp("drawn") / "judging"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(saved, "load_generator", loaded.__getitem__)
        by_eye.sheets(["runs/a", "runs/b", "runs/grey"], folder, per_value=2, per_flag=3, n=10)
    return folder


@pytest.fixture
def folder(models, drawn, tmp_path):
    return shutil.copytree(drawn, tmp_path / "judging")


def key_of(folder):
    return json.loads((folder / "key.json").read_text())


def fill(folder, answer):
    """Fills the form with the cells that `answer` gives for an entry of the key."""
    entries = {(e["sheet"], e["n"]): e for e in key_of(folder)["images"]}
    with (folder / "form.csv").open(newline="") as file:
        head, *rows = csv.reader(file)
    filled = [row[:2] + list(answer(entries[int(row[0]), int(row[1])])) for row in rows]
    with (folder / "form.csv").open("w", newline="") as file:
        csv.writer(file).writerows([head, *filled])


def obedient(entry):
    """What was asked for, and else the commonest words."""
    asked = entry["asked"]
    letters = {"long_hair": "L", "short_hair": "S", "twintails": "T", "ponytail": "P"}
    letters |= {"drill_hair": "D", "blush": "B", "smile": "M", "open_mouth": "O", "hat": "H"}
    letters |= {"ribbon": "R", "glasses": "G"}
    flags = "".join(letters[name] for name in asked if name in letters)
    return asked.get("hair", "other"), asked.get("eyes", "closed"), flags or "-"


# ---- sheets ------------------------------------------------------------------------------------


def test_every_attribute_is_asked_for_on_shuffled_sheets_that_do_not_say_so(folder, models):
    key = key_of(folder)
    images = key["images"]
    # 23 colours and 11 flags of two models, ten images of the third.
    assert len(images) == 2 * (23 * 2 + 11 * 3) + 10
    for model in ("runs/a", "runs/b"):
        asked = [e["attribute"] for e in images if e["model"] == model]
        assert {c: asked.count(c) for c in MAKEGIRLSMOE.columns} == {
            column: 2 if column.endswith(("_hair", "_eyes")) and column not in FLAGS else 3
            for column in MAKEGIRLSMOE.columns
        }
    first = {e["model"] for e in images if e["sheet"] == 0}
    assert first == {"runs/a", "runs/b", "runs/grey"}
    assert [e["n"] for e in images[:40]] == [*range(1, 21)] * 2
    rules, form = (folder / "RULES.md").read_text(), (folder / "form.csv").read_text()
    assert form.splitlines()[0] == "sheet,n,hair,eyes,flags"
    assert form.splitlines()[1:3] == ["00,1,,,", "00,2,,,"]
    assert len(form.splitlines()) == 1 + len(images)
    for text in (rules, form):
        assert "runs/" not in text
    for word in ("blonde", "orange", "hidden", "closed", "T: ", "X: ", "Z: ", "key.json"):
        assert word in rules
    # Letters of attributes that no model has are not asked of the judge.
    assert "animal" not in rules


FLAGS = {field.name for field in MAKEGIRLSMOE.fields if field.kind == "flag"}


def test_a_sheet_shows_the_images_of_the_key(folder, models):
    """Image n of a sheet, made smaller again, is what its seed and tags draw."""
    sheet = np.asarray(Image.open(folder / "s00.png"))
    assert sheet.shape == (4 * 216, 5 * 216, 3)
    for entry in key_of(folder)["images"][:20]:
        drawn = generate(
            models[entry["model"]], 1, entry["seed"], entry["asked"], first=entry["index"]
        ).images[0]
        x, y = (entry["n"] - 1) % 5 * 216, (entry["n"] - 1) // 5 * 216
        cell = Image.fromarray(sheet[y : y + 212, x : x + 212])
        height = round(212 * drawn.shape[0] / drawn.shape[1])
        small = cell.crop((0, 0, 212, height)).resize(drawn.shape[1::-1], Image.Resampling.BOX)
        # Without the number's corner, and where two colours meet.
        apart = np.abs(np.asarray(small).astype(int) - drawn)[8:]
        assert apart[:, np.r_[0:12, 20:32]].max() < 6, entry


def test_the_same_seed_makes_the_same_sheets(folder, models, tmp_path):
    names = ["runs/a", "runs/b", "runs/grey"]
    by_eye.sheets(names, tmp_path / "again", per_value=2, per_flag=3, n=10)
    by_eye.sheets(names, tmp_path / "other", per_value=2, per_flag=3, n=10, seed=1)
    for name in ("s00.png", "key.json", "form.csv"):
        assert (folder / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    assert key_of(folder) != key_of(tmp_path / "other")


def test_models_without_labels_are_judged_as_broken_or_not(models, tmp_path):
    by_eye.sheets(["runs/grey"], tmp_path / "judging", n=4)
    assert (tmp_path / "judging/form.csv").read_text().startswith("sheet,n,flags\n00,1,\n")
    flags = iter(["Z", "-", "x", "-"])
    fill(tmp_path / "judging", lambda entry: [next(flags)])
    (found,) = by_eye.score(tmp_path / "judging")
    assert (found.broken.share, found.mean, found.fields, found.attributes) == (0.5, None, {}, {})
    assert "| runs/grey | 4 | 0.50 [0.15, 0.85] |" in by_eye.table([found])


@pytest.mark.parametrize(
    ("names", "words"), [(["runs/a", "runs/a/"], "runs/a twice"), ([], "Received: none")]
)
def test_wrong_models_are_named(models, tmp_path, names, words):
    with pytest.raises(ValueError, match=words):
        by_eye.sheets(names, tmp_path / "judging")


def test_a_filled_form_is_not_written_over(folder, models):
    with pytest.raises(ValueError, match="holds something already"):
        by_eye.sheets(["runs/a"], folder)


# ---- score -------------------------------------------------------------------------------------


def test_a_perfect_model_and_one_whose_answers_are_known(folder):
    """`runs/a` shows all; `runs/b` shows blue for every colour, a third of the smiles, and is
    broken where it was asked for a hat."""
    smiles = iter(["M", "-", "-"])

    def answer(entry):
        if entry["model"] != "runs/b":
            return obedient(entry)
        if entry["attribute"] == "smile":
            return "blue", "blue", next(smiles)
        return "blue", "blue", "HZ" if entry["attribute"] == "hat" else "-"

    fill(folder, answer)
    a, b, grey = by_eye.score(folder)
    assert (a.mean.share, a.broken.share, a.images) == (1, 0, 79)
    assert set(a.attributes) == set(MAKEGIRLSMOE.columns)
    assert list(a.attributes) == list(MAKEGIRLSMOE.columns)
    assert b.attributes["blue_hair"].share == b.attributes["blue_eyes"].share == 1
    assert b.attributes["smile"].share == pytest.approx(1 / 3)
    # Broken, and yet it has the hat.
    assert b.attributes["hat"].share == 1 and b.broken.share == pytest.approx(3 / 79)
    assert b.fields["hair"].share == pytest.approx(1 / 13)
    assert b.fields["eyes"].share == pytest.approx(1 / 10)
    assert b.mean.share == pytest.approx((1 + 1 + 1 / 3 + 1) / 34)
    assert b.fields["hair"].images == 26
    assert grey.images == 10 and grey.mean is None
    stored = json.loads((folder / "by_eye.json").read_text())
    assert stored["models"][1]["attributes"]["smile"]["images"] == 3
    assert stored["protocol"] == key_of(folder)["protocol"]
    assert stored["protocol"]["images a value"] == 2 and stored["protocol"]["seed"] == 0
    assert (folder / "by_eye.md").read_text() == by_eye.table([a, b, grey])


def test_values_are_the_same_in_capitals(tmp_path, monkeypatch):
    schema = LabelSchema((Field("hair", "group", ("Blonde", "Teal")),))
    monkeypatch.setattr(saved, "load_generator", {"runs/a": Stripes(schema)}.__getitem__)
    by_eye.sheets(["runs/a"], tmp_path / "judging", per_value=2)
    assert key_of(tmp_path / "judging")["words"]["hair"].count("blonde") == 1
    fill(tmp_path / "judging", lambda entry: (entry["asked"]["hair"], "-"))
    assert by_eye.score(tmp_path / "judging")[0].mean.share == 1
    fill(tmp_path / "judging", lambda entry: ("TEAL", "-"))
    assert by_eye.score(tmp_path / "judging")[0].mean.share == 0.5


@pytest.mark.parametrize(
    ("share", "count", "low", "high"),
    # R: binom::binom.confint(8, 10, methods = "wilson"), and the closed forms z^2 / (n + z^2).
    [(0.8, 10, 0.4901625, 0.9433178), (0, 10, 0, 0.2775328), (1, 14, 0.7846891, 1)],
)
def test_wilson(share, count, low, high):
    assert by_eye.wilson(share, count) == pytest.approx((low, high), abs=1e-6)


def test_the_interval_of_a_mean_over_equal_counts_is_that_of_all_images(folder):
    fill(folder, obedient)
    a = by_eye.score(folder)[0]
    assert (a.fields["hair"].low, a.fields["hair"].high) == by_eye.wilson(1, 26)
    # 23 of 2 and 11 of 3: fewer than the 79 images, since some of them count less than others.
    assert a.mean.low == pytest.approx(by_eye.wilson(1, 34**2 / (23 / 2 + 11 / 3))[0])
    assert a.mean.low < by_eye.wilson(1, 79)[0]


def test_forms_of_spreadsheets(folder):
    """Semicolons, a byte order mark, no leading zeros, capitals, an empty last line."""
    fill(folder, obedient)
    expected = by_eye.score(folder)
    lines = (folder / "form.csv").read_text().replace("\r\n", "\n").splitlines()
    saved_again = "\r\n".join(line.removeprefix("0").replace(",", ";").title() for line in lines)
    (folder / "again.csv").write_bytes(b"\xef\xbb\xbf" + saved_again.encode() + b"\r\n;;;;\r\n")
    assert by_eye.score(folder, folder / "again.csv") == expected


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        (0, "nine", "row 5, cell sheet: a whole number. Received: 'nine'"),
        (0, "99", "row 5: sheet and n name an image .* sheet 99, image 4"),
        (1, "3", "row 5: each image has one row. Received: sheet 00, image 3 again"),
        (2, "", "row 5, cell hair: one of blonde, .*hidden. Received: ''"),
        (2, "teal", "row 5, cell hair: one of .* Received: 'teal'"),
        (3, "hidden", "row 5, cell eyes: one of .* Received: 'hidden'"),
        (4, "", "row 5, cell flags: letters of .* Received: ''"),
        (4, "MQ", "row 5, cell flags: letters of LST.*XZ, or - .* Received: 'MQ'"),
        (4, "LS", "row 5, cell flags: hair is long .* Received: 'LS'"),
    ],
)
def test_wrong_cells_are_named(folder, column, value, words):
    fill(folder, obedient)
    with (folder / "form.csv").open(newline="") as file:
        rows = list(csv.reader(file))
    rows[4][column] = value
    with (folder / "form.csv").open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    with pytest.raises(ValueError, match=words):
        by_eye.score(folder)


def test_images_that_are_not_usable_need_no_words_and_show_nothing(folder):
    fill(folder, lambda entry: ("", "", "X"))
    a = by_eye.score(folder)[0]
    assert (a.broken.share, a.mean.share) == (1, 0)


def test_wrong_forms_are_named(folder, tmp_path):
    with pytest.raises(ValueError, match=r"row 2, cell flags.* Received: ''"):
        by_eye.score(folder)  # not filled at all
    fill(folder, obedient)
    lines = (folder / "form.csv").read_text().splitlines()
    (tmp_path / "short.csv").write_text("\n".join(lines[:-2]))
    with pytest.raises(ValueError, match="none for 2 of 168, first sheet 08, image 7"):
        by_eye.score(folder, tmp_path / "short.csv")
    (tmp_path / "headless.csv").write_text("\n".join(lines[1:]))
    with pytest.raises(ValueError, match="row 1: the first row of a form is sheet,n,hair"):
        by_eye.score(folder, tmp_path / "headless.csv")
    with pytest.raises(ValueError, match=r"holds key.json"):
        by_eye.score(tmp_path)


# ---- commands ----------------------------------------------------------------------------------


def test_commands(models, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "grey"):
        (tmp_path / "runs" / name).mkdir(parents=True)
    runner = CliRunner()
    words = "judge sheets runs/a runs/grey --per-value 1 --per-flag 1 --n 6 --out judging"
    result = runner.invoke(main, words.split())
    assert result.exit_code == 0, result.output
    assert "2 sheets in judging" in result.stdout
    failed = runner.invoke(main, ["judge", "score", "judging"])
    assert failed.exit_code == 1 and "row 2, cell flags" in failed.stderr
    fill(tmp_path / "judging", obedient)
    result = runner.invoke(main, ["judge", "score", "judging"])
    assert result.exit_code == 0, result.output
    assert "| runs/a | 34 | 0.00 [0.00, 0.10] | 1.00 [0.90, 1.00] of 34 |" in result.stdout
    assert "| runs/grey | 6 | 0.00" in result.stdout


def test_evaluate_points_to_it():
    assert "tfanime judge" in CliRunner().invoke(main, ["evaluate", "--help"]).stdout
