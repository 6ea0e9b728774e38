"""README and cards: what people see comes first, and figures have their commands beside them."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from tfanime import recipes, zoo
from tfanime.cli import main
from tfanime.core.files import read_json
from tfanime.evaluation import figures
from tfanime.evaluation.independence import judged, parts_of
from tfanime.evaluation.report import Figure

ROOT = Path(__file__).resolve().parents[1]
GENERATORS = (zoo.DEFAULT, "faces-64", "posters")


def card_of(name: str) -> str:
    return (zoo.path(name) / "MODEL_CARD.md").read_text(encoding="utf-8")


def figures_of(name: str) -> list[str]:
    """The lines of a card's section of figures."""
    return card_of(name).split("\n## Figures\n")[1].split("\n## ")[0].splitlines()


def test_the_first_screen_says_what_people_see_of_the_model_that_ships():
    """Precision by eye and the broken share, as the card of what `tfanime generate` draws with."""
    screen = " ".join((ROOT / "README.md").read_text(encoding="utf-8").splitlines()[:22])
    card = card_of(zoo.DEFAULT)
    broken = re.search(r"\| broken \| \*\*0\.(\d\d)\*\*", card).group(1)
    asked = re.search(r"mean of (\d+) attributes \| \*\*(0\.\d\d)\*\*", card)
    assert "Judged by eye, blind" in screen
    assert f"{int(broken)} of 100 faces are broken" in re.sub(r"\s+", " ", screen)
    assert f"in {asked[2]} (mean of {asked[1]} attributes" in screen


@pytest.mark.parametrize("name", GENERATORS)
def test_figures_of_a_card_have_the_command_that_makes_them(name):
    lines = figures_of(name)
    commands = " ".join(line for line in lines if line.startswith("    "))
    assert f"tfanime evaluate {name} --against" in commands
    assert "tfanime judge sheets" in commands or "judge_posters.py sheets" in commands


@pytest.mark.parametrize("name", [name for name in zoo.names() if name.startswith("upscaler")])
def test_figures_of_an_upscaler_have_their_command_too(name):
    commands = [line for line in figures_of(name) if line.startswith("    ")]
    assert any(f"compare_upscalers.py {name} --against" in line for line in commands)


@pytest.mark.parametrize("name", GENERATORS)
def test_stored_figures_say_what_their_judge_had_to_do_with_the_model(name):
    """Those of a steered model once called the tagger, which led its steering, a stranger."""
    stored = read_json(zoo.path(name) / "figures.json")
    parts = parts_of(zoo.path(name), SimpleNamespace(sha256=None, labels_from=None))
    figures = [one for kind in ("figures", "copies") for one in stored[kind] if one.get("judge")]
    assert figures
    for one in figures:
        pixels = one["judge"] == "pixels alone"
        judge = None if pixels else re.match(r"[\w-]+", one["judge"])[0]
        said = judged(Figure(one["name"], 1.0, None, "lower", {}), judge, parts)
        assert (said.judge, said.independent) == (one["judge"], one["independent"]), one["name"]


@pytest.mark.parametrize("name", GENERATORS)
def test_no_figure_of_a_card_is_judged_by_the_tagger_that_labelled(name):
    """The tagger labelled faces-64's data and led every steering."""
    rows = [line for line in figures_of(name) if re.match(r"\| (FID|KID)", line)]
    assert rows and all("MobileNetV2" in row for row in rows)


@pytest.mark.parametrize("name", GENERATORS)
def test_a_card_says_where_images_are_few(name):
    """Of fewer images than features FID reads high; reports say so, and cards did not."""
    assert "1,280 features, so that FID reads high" in " ".join(figures_of(name))


@pytest.mark.parametrize("name", GENERATORS)
def test_how_far_to_truncate_was_measured(name):
    """Its range is stored with the model, so that `generate` can warn, and its card says how."""
    measured = read_json(zoo.path(name) / "generator.json")["truncation"]
    assert 0 < measured["least"] < 1
    assert f"tfanime figure truncation {name} --against" in card_of(name)


# As MakeGirlsMoe's text numbers them.
PAPER = {
    "boxes": 1,
    "embedding": 2,
    "samples": 5,
    "averages": 6,
    "fixed noise": 8,
    "fixed attributes": 9,
    "training": 10,
    "histograms": 13,
    "sizes": 14,
    "interpolation": 15,
}


def test_figures_have_the_numbers_of_the_paper():
    """Docstrings called fixed noise and fixed attributes figures 6 and 7."""
    page = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
    told = page.split("has these as figures ")[1].split("\n\n")[0]
    assert {name: int(n) for n, name in re.findall(r"(\d+)\s\(([\w ]+)\)", told)} == PAPER
    numbered = 0
    for name, number in PAPER.items():
        text = getattr(figures, name.replace(" ", "_")).__doc__
        for said in re.findall(r"[Ff]igure (\d+) of MakeGirlsMoe", text):
            assert int(said) == number, name
            numbered += 1
    assert numbered == 6


def test_makegirlsmoe_took_images_released_after_2005():
    """`--from-year` keeps the year that it names."""
    page = (ROOT / "docs" / "collect.md").read_text(encoding="utf-8")
    assert "`--from-year 2006` leaves out what is older, as MakeGirlsMoe did" in page
    told = CliRunner().invoke(main, ["collect", "getchu", "--help"]).stdout
    assert "MakeGirlsMoe took 2006" in " ".join(told.split()) and "2005" not in told


def test_figures_of_docstrings_are_those_of_the_table():
    """Labelled recipes kept figures of attributes that were drawn one by one."""
    page = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
    row = r"^\| `([\w-]+)` \| [\d,]+ \| [\d,]+ \| (\d+) \| ([\d.]+) \|"
    table = {name: (fid, f"{float(kid):.2f}") for name, fid, kid in re.findall(row, page, re.M)}
    assert len(table) == 5
    for name in recipes.names():
        text = " ".join(recipes.describe(name).split())
        told = re.findall(r"FID (\d+) and KID (\d\.\d\d) on faces", text)
        assert told == ([table[name]] if name in table else []), name
