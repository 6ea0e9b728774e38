"""`tfanime collect` and `tfanime data`, from the words to the folder."""

from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest
import site_pages as pages
from bad_server import Reply, picture

from tests.command_line import invoke
from tfanime.collect import danbooru, getchu, myanimelist
from tfanime.core.manifest import Step


@pytest.fixture
def calls(monkeypatch):
    """Replaces the functions behind the verbs; what each was called with."""
    seen = []
    manifest = SimpleNamespace(steps=(Step("found", 2, {"adult": 1}),), count=2)
    for site in (danbooru, getchu, myanimelist):

        def stand_in(*arguments, site=site, **options):
            seen.append((site, arguments, options))
            return manifest

        monkeypatch.setattr(site, "collect", stand_in)
    return seen


@pytest.mark.parametrize("words", [["collect"], ["data"], ["data", "card"]])
def test_help(words):
    result = invoke(*words, "--help")
    assert result.exit_code == 0 and "Examples:" in result.stdout


@pytest.mark.parametrize("site", ["myanimelist", "getchu", "danbooru"])
def test_help_of_the_sites(site):
    result = invoke("collect", site, "--help")
    assert f"  tfanime collect {site}" in result.stdout and "--contact" in result.stdout


def test_help_loads_nothing_heavy():
    code = (
        "import sys\nfrom tfanime.cli import main\n"
        "main(['collect', 'myanimelist', '--help'], standalone_mode=False)\n"
        "print({'tensorflow', 'keras', 'numpy', 'requests', 'bs4'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.endswith("set()\n") and done.stderr == ""


def test_myanimelist(calls, tmp_path):
    words = ["--top", 5, "--season", "2018/spring", "--genre", 1, "--genre", 2, "--search", "Fate"]
    words += ["--popular", 7, "--year", 2001, "--year", 2002]
    words += ["--from-year", 1990, "--to-year", 2019]
    more = ["--need", "genres", "--adult", "--rate", 2, "--allow-host", "a.example"]
    result = invoke("collect", "myanimelist", *words, *more, "--out", tmp_path)
    assert result.exit_code == 0, result.stderr
    ((site, arguments, options),) = calls
    assert site is myanimelist and arguments == (str(tmp_path),)
    assert options == {
        "ids": (),
        "top": 5,
        "popular": 7,
        "years": (2001, 2002),
        "from_year": 1990,
        "to_year": 2019,
        "seasons": ("2018/spring",),
        "genres": (1, 2),
        "searches": ("Fate",),
        "needed": ("genres",),
        "most": None,
        "adult": True,
        "rate": 2.0,
        "contact": None,
        "refresh": False,
        "base_url": "https://myanimelist.net",
        "hosts": ("a.example",),
        "progress": True,
    }
    assert "found: 2 (left out: adult: 1)" in result.stdout


def test_getchu(calls, tmp_path):
    assert invoke("collect", "getchu", "--sql").stdout == getchu.SQL + "\n" and calls == []
    result = invoke("collect", "getchu", "--month", "2014-12", "--from-year", 2005, "--out", "x")
    assert result.exit_code == 0, result.stderr
    options = calls[0][2]
    assert (options["months"], options["from_year"], options["table"]) == (("2014-12",), 2005, None)


def test_danbooru(calls):
    assert invoke("collect", "danbooru", "1girl", "solo", "--out", "x").exit_code == 0
    assert calls[0][1] == ("x", ("1girl", "solo"))
    assert calls[0][2]["board"] == "danbooru" and calls[0][2]["most"] == 1000


@pytest.mark.parametrize(
    "words",
    [
        ["collect", "myanimelist"],
        ["collect", "myanimelist", "--out", "x", "--rate", "0"],
        ["collect", "myanimelist", "--out", "x", "--ids", "missing.csv"],
        ["collect", "getchu", "--month", "2014-12"],
        ["collect", "danbooru", "--out", "x"],
        ["data", "card", "missing/"],
    ],
)
def test_wrong_usage_exits_with_2(calls, words):
    result = invoke(*words)
    assert result.exit_code == 2 and "Error: " in result.stderr and calls == []


def test_mistakes_are_sentences(tmp_path):
    table = tmp_path / "ids.csv"
    table.write_text("id\n=1+1\n")
    result = invoke("collect", "myanimelist", "--ids", table, "--out", tmp_path / "out")
    assert result.exit_code == 1 and "line 2: the id is a whole number" in result.stderr
    result = invoke("collect", "myanimelist", "--out", tmp_path / "out")
    assert result.exit_code == 1 and "Something must be asked for" in result.stderr
    assert invoke("data", "card", tmp_path).exit_code == 1
    assert not (tmp_path / "out").exists()


def test_from_words_to_a_folder_and_its_card(server, tmp_path):
    title = "<script>alert(1)</script>"
    page = pages.anime_2018(7, title.replace("<", "&lt;")).replace(
        "https://cdn.example", server.url
    )
    server.page("/anime/7/", page.encode())
    server.page("/images/anime/6/7.jpg", Reply(picture(7), kind="image/jpeg"))
    (tmp_path / "ids.csv").write_text("MAL_ID\n7\n")
    out = tmp_path / "out"
    options = ["--base-url", server.url, "--rate", 200, "--no-progress", "--out", out]
    result = invoke("collect", "myanimelist", "--ids", tmp_path / "ids.csv", *options)
    assert result.exit_code == 0, result.stderr
    assert f"{out}: 1 entries" in result.stdout
    card = invoke("data", "card", out).stdout
    assert card.startswith("# MyAnimeList posters\n")
    assert "- 7: &lt;script&gt;alert\\(1\\)&lt;/script&gt;" in card and "<script" not in card
