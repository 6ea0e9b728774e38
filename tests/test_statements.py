"""README and cards: what people see comes first, and figures have their commands beside them."""

import re
from pathlib import Path

import pytest

from tfanime import zoo
from tfanime.core.files import read_json

ROOT = Path(__file__).resolve().parents[1]
GENERATORS = ("busts-64", "faces-64", "posters")


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


@pytest.mark.parametrize("name", GENERATORS)
def test_no_figure_of_a_card_is_judged_by_the_tagger_that_labelled(name):
    """The first tagger labelled faces-64's data and sat in its discriminator."""
    rows = [line for line in figures_of(name) if re.match(r"\| (FID|KID)", line)]
    assert rows and all("MobileNetV2" in row for row in rows)


@pytest.mark.parametrize("name", GENERATORS)
def test_how_far_to_truncate_was_measured(name):
    """Its range is stored with the model, so that `generate` can warn, and its card says how."""
    measured = read_json(zoo.path(name) / "generator.json")["truncation"]
    assert 0 < measured["least"] < 1
    assert f"tfanime figure truncation {name} --against" in card_of(name)
