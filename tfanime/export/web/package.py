"""The exported folder as a package of npm: `npm install ./site`, or, with a name of your own,
`npm publish`."""

from __future__ import annotations

import re
from pathlib import Path

from tfanime.core.files import read_json, write_json
from tfanime.version import __version__

PACKAGE = "package.json"
FILES = ("tfanime.js", "tfanime.d.ts", "tfanime.json", "assets", "models", "upscalers", "posters")


def write(folder: Path, out: Path) -> None:
    """Writes `package.json`: the module `tfanime.js` with its types, and all that it loads.

    Args:
        folder: where it is written.
        out: where it will be. The package is called like that folder, as near as npm's rules
            allow, or keeps the name that an earlier export there was given.
    """
    plain = re.sub(r"[^a-z0-9-]+", "-", out.resolve().name.lower()).strip("-") or "faces"
    try:
        name = read_json(out / PACKAGE)["name"]
    except (OSError, ValueError, KeyError, TypeError):
        name = plain
    version = re.match(r"\d+\.\d+\.\d+", __version__)
    description = {
        "name": name if isinstance(name, str) else plain,
        "version": version.group() if version else "0.0.0",
        "description": "Draws anime in the browser: a module and the element <tfanime-face>.",
        "license": "SEE LICENSE IN models/*/LICENSE.txt",
        "type": "module",
        "types": "./tfanime.d.ts",
        "exports": {
            ".": {"types": "./tfanime.d.ts", "default": "./tfanime.js"},
            "./*": "./*",
        },
        "sideEffects": True,  # importing it defines the element
        "files": [*FILES, "THIRD_PARTY.txt"],
    }
    write_json(folder / PACKAGE, description)
