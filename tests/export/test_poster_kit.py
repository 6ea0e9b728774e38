"""What goes along with an exported model that makes posters, and with no other."""

from __future__ import annotations

import hashlib
import json

from tfanime.core.labels import FACES, Field, LabelSchema
from tfanime.export.web import poster_kit

GENRES = LabelSchema((Field("horror", "flag"), Field("romance", "flag")))


def test_a_model_of_genres_brings_words_and_type(tmp_path):
    kit = poster_kit.write(tmp_path, GENRES)
    assert sorted(kit["fonts"]) == ["BebasNeue", "Cinzel", "DelaGothicOne", "LeagueGothic"]
    assert sorted(file["path"] for file in kit["files"]) == sorted(
        [kit["phrases"], *kit["fonts"].values()]
    )
    for file in kit["files"]:
        data = (tmp_path / file["path"]).read_bytes()
        assert len(data) == file["bytes"]
        assert hashlib.sha256(data).hexdigest() == file["sha256"]
    assert json.loads((tmp_path / kit["phrases"]).read_text())["words"]["sword"]
    assert "SIL OPEN FONT LICENSE" in (tmp_path / "posters" / "OFL.txt").read_text().upper()
    assert poster_kit.write(tmp_path, GENRES) == kit  # a second model of a site


def test_other_models_bring_nothing(tmp_path):
    one = LabelSchema((Field("horror", "flag"), Field("smile", "flag")))
    for schema in (None, FACES, one):
        assert poster_kit.write(tmp_path, schema) is None
    assert list(tmp_path.iterdir()) == []
