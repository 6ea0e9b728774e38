"""What others see of an exported site before they open it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tfanime.export.web.sharing import check_address, write_address, write_card

PAGE = Path(__file__).resolve().parents[2] / "web_export" / "index.html"


def test_the_card_shows_the_models_pictures(tmp_path):
    colours = np.float32([[-1, -1, 1], [1, -1, -1], [-1, 1, -1]])
    pictures = np.broadcast_to(colours[:, None, None], (3, 20, 16, 3)).copy()
    pictures[:, [0, 1, -1, -2]] = 1  # what is cut off where pictures are no squares
    write_card(tmp_path, pictures)
    with Image.open(tmp_path / "card.jpg") as card:
        assert card.size == (1260, 630)
        for i in range(18):
            found = card.getpixel((i % 6 * 210 + 105, i // 6 * 210 + 105))
            np.testing.assert_allclose(found, (colours[i % 3] + 1) * 127.5, atol=6)
            top = card.getpixel((i % 6 * 210 + 105, i // 6 * 210 + 8))
            np.testing.assert_allclose(top, (colours[i % 3] + 1) * 127.5, atol=40)
    assert (tmp_path / "card.jpg").stat().st_size < 200_000


def test_the_page_names_its_card_and_its_address(tmp_path):
    (tmp_path / "index.html").write_text(PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    assert '<meta property="og:image" content="card.jpg" />' in PAGE.read_text(encoding="utf-8")
    write_address(tmp_path, check_address("https://example.org/a&b"))
    html = (tmp_path / "index.html").read_text(encoding="utf-8")
    assert '<meta property="og:image" content="https://example.org/a&amp;b/card.jpg" />' in html
    assert '<meta property="og:url" content="https://example.org/a&amp;b/" />' in html


@pytest.mark.parametrize("address", ["example.org", "file:///etc", "https://", 'https://a/"><b'])
def test_what_is_no_address(address):
    with pytest.raises(ValueError, match="address is where the folder will be.*Received"):
        check_address(address)


def test_addresses_end_in_a_slash():
    assert check_address(None) is None
    assert check_address("https://example.org") == "https://example.org/"
    assert check_address("http://localhost:8000/x/?y#z") == "http://localhost:8000/x/"
