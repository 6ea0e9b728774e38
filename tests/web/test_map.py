"""The map of texts in a browser, with titles that try to get out of its script."""

from __future__ import annotations

import numpy as np
import pytest

EVIL = ["<!--<script>", "</script><h1 id=out>", "a\u2028b", "\ud800", "]]>", "${1}`"]


@pytest.mark.slow
def test_hostile_titles_are_shown_as_they_are(chromium, tmp_path):
    pytest.importorskip("sklearn", reason="a map needs tfanime[text]")
    from tfanime.text.explorer import explore

    rows = [{"title": title, "genres": "<b>x", "text": title} for title in EVIL]
    explore(rows, np.random.default_rng(0).normal(size=(len(rows), 4)), tmp_path)
    page = chromium.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto((tmp_path / "map.html").as_uri())
    assert page.locator("#legend label").all_inner_texts() == ["<b>x"]
    shown = []
    for i in range(len(EVIL)):
        page.evaluate(f"show({i})")
        shown.append(page.locator("#one h2").first.text_content())
    assert shown == EVIL
    assert page.locator("#out").count() == 0 and errors == []
    page.close()
