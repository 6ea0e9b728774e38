"""What the site needs to make posters: the table of words and genres, and the faces of type.

They go along with models that know genres, below `posters/`, and a page asks for them when a poster
is made.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from tfanime.core.labels import LabelSchema
from tfanime.export.web import bundle
from tfanime.sampling.phrases import LOUD, knows_genres

FOLDER = "posters"  # of the exported folder
LICENCE = "OFL.txt"
OURS = Path(__file__).parents[2]
TABLE = OURS / "sampling" / "phrases.json"
FONTS = OURS / "posters" / "fonts"


def write(folder: Path, schema: LabelSchema | None) -> dict | None:
    """Writes the kit below `folder` if a model of this schema makes posters.

    Returns:
        Its entry in the manifest: the path of the table, name of each font to its path, the
        genres of loud type, and all files described; None for a schema without genres.
    """
    if schema is None or schema.vector_size or not knows_genres(schema):
        return None
    home = folder / FOLDER
    home.mkdir(exist_ok=True)
    phrases = bundle.write_hashed(home, "phrases", ".json", TABLE.read_bytes())
    fonts = {
        path.stem: bundle.write_hashed(home, path.stem, ".ttf", path.read_bytes())
        for path in sorted(FONTS.glob("*.ttf"))
    }
    shutil.copyfile(FONTS / LICENCE, home / LICENCE)  # which the licence asks for
    return {
        "phrases": phrases.relative_to(folder).as_posix(),
        "fonts": {name: path.relative_to(folder).as_posix() for name, path in fonts.items()},
        "loud": list(LOUD),
        "files": bundle.described([phrases, *fonts.values()], folder),
    }
