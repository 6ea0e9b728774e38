"""What strangers name things must not reach the terminal as commands."""

from __future__ import annotations

import io
import json
import tarfile

import click
import pytest
from click.testing import CliRunner
from PIL import Image

from tfanime import cli
from tfanime.cli.group import Verbs
from tfanime.core.files import json_lines, sound
from tfanime.core.printing import caption, plain
from tfanime.prepare.dataset_card import escape
from tfanime.sampling.imagine import Imagined, Near

# Clears the screen, names the window, moves the cursor, turns the text round, begins a new line.
EVIL = "\x1b[2J\x1b]0;title\x07\x9b1A\u202e\nForged: line\ud800\r\x00"


def harmless(text: str) -> bool:
    return all(character.isprintable() or character == "\n" for character in text)


def test_plain():
    assert plain(EVIL) == "[2J]0;title1A Forged: line "
    assert plain("青い髪 é  a-b_c") == "青い髪 é  a-b_c"
    assert plain(7) == "7"


def test_captions_are_no_formulas():
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.subplots()
    axes.set_title(caption(rf"$\frac$ {EVIL} $5"))
    figure.savefig(io.BytesIO())
    assert axes.get_title() == r"\$\frac\$ [2J]0;title1A Forged: line  \$5"


def test_the_summary_of_prepare(tmp_path):
    archive = tmp_path / "evil.tar"
    picture = io.BytesIO()
    Image.linear_gradient("L").save(picture, "PNG")
    name = EVIL.replace("\x00", "").replace("\ud800", "")
    with tarfile.open(archive, "w") as file:
        for member, body in (
            ("good.png", picture.getvalue()),
            (f"{name}.png", b"no picture"),
            (f"../{name}.png", b"outside"),
        ):
            info = tarfile.TarInfo(member)
            info.size = len(body)
            file.addfile(info, io.BytesIO(body))
    out = tmp_path / "packed"
    done = CliRunner().invoke(cli.main, ["prepare", str(archive), "--size", "32", "--out", out])
    assert done.exit_code == 0, done.output
    assert "Forged: line" in done.stderr and "\nForged" not in done.stderr
    told = done.stderr.replace("\r", "\n")  # of the progress bar
    assert harmless(told) and harmless(done.stdout)
    done = CliRunner().invoke(
        cli.main, ["prepare", str(archive), "--size", "32", "--out", f"{out}2", "--strict"]
    )
    assert done.exit_code == 1 and harmless(done.stderr.replace("\r", "\n"))


def test_every_error_of_the_command():
    @click.group(cls=Verbs)
    @click.option("--debug", is_flag=True)
    def main(debug):
        pass

    @main.command()
    @click.argument("kind")
    def fail(kind):
        raise {"value": ValueError, "key": KeyError}[kind](f"Received: {EVIL}")

    for kind in ("value", "key"):
        done = CliRunner().invoke(main, ["fail", kind])
        assert done.exit_code == 1 and harmless(done.stderr)
        assert done.stderr.count("\n") == 1 and "Received" in done.stderr


def test_titles_of_training_texts():
    near = [Near(f"A {EVIL}", f"G {EVIL}", 0.5, 0)]
    found = Imagined(None, EVIL, {EVIL: EVIL}, {EVIL: {EVIL: 1.0}}, {EVIL: EVIL}, near)
    lines = found.explanation().split("\n")
    assert len(lines) == 5 and all(map(harmless, lines))
    assert lines[-1].startswith("  0.50  A [2J")


def test_cards_are_printed_too():
    assert harmless(escape(EVIL))


def test_json_that_no_file_can_hold():
    text = r'{"a": "x\ud800y\ud83d\ude00", "b": ["\udc00"], "\ud800": 1}' + "\n\n"
    (found,) = json_lines(text)
    assert found == {"a": "x\ufffdy😀", "b": ["\ufffd"], "\ufffd": 1}
    assert sound(3.5) == 3.5


@pytest.mark.parametrize("separator", ["\u2028", "\x85", "\x1d", "\x0b"])
def test_only_newlines_end_a_line_of_json(separator):
    rows = [{"title": f"a{separator}b"}, {"title": "c"}]
    text = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    if separator >= " ":  # JSON itself escapes the others
        assert separator in text
    assert json_lines(text) == rows
