"""What mkdocs.yml needs: pages of the documentation that lie elsewhere in the checkout, and links
between both that work in the checkout and on the site alike."""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parent.parent
ROOT_PAGES = ("CHANGELOG.md", "CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "SECURITY.md")
PICTURES = ("saved_models/*/*.png", "saved_models/*/*.webp")
ELSEWHERE = ("saved_models/*/MODEL_CARD.md", *PICTURES, "LICENSE", *ROOT_PAGES)
LINK = re.compile(r"(\]\(|src=\")((?:\.\./)+)([^)\"#]+)")


def on_files(files, config):
    for pattern in ELSEWHERE:
        for path in sorted(ROOT.glob(pattern)):
            name = path.relative_to(ROOT).as_posix()
            files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown, page, config, files):
    """In the checkout docs/ is a folder beside saved_models/; on the site it is the root."""
    inside = not page.file.src_uri.startswith(("saved_models/", *ROOT_PAGES))

    def moved(found):
        before, up, rest = found.groups()
        if inside and up.count("../") > page.file.src_uri.count("/"):
            return f"{before}{up.removeprefix('../')}{rest}"
        return f"{before}{up}{rest.removeprefix('docs/')}"

    markdown = LINK.sub(moved, markdown)
    return markdown if inside else markdown.replace("](docs/", "](")
