"""What is asked for and seen, beside how often the judge is right, and corrected for that."""

import json

import numpy as np
import pytest

from tfanime import zoo
from tfanime.core.files import read_json
from tfanime.evaluation import attributes as measure
from tfanime.evaluation import evaluate
from tfanime.tagging.figures import Rates

RATES = {
    "smile": Rates(0.9, 0.8, 0.1, 200),
    "drill_hair": Rates(0.7, 0.11, 0.0, 18),  # hardly ever seen
    "hat": Rates(0.9, 0.9, 0.0, 5),  # tried on too few
    "male": Rates(0.0, 0.9, None, 50),
}


def test_only_what_the_judge_tells_is_corrected():
    seen = {"smile": 0.45, "drill_hair": 0.1, "hat": 0.5, "male": 0.5, "unheard_of": 0.5}
    fair = measure.corrected_shares(seen, RATES)
    assert fair == {"smile": pytest.approx(0.5)}
    assert measure.told(seen, fair).startswith(
        "of the 1 of 5 attributes that the tagger tells well"
    )
    assert "0.45 as it sees them, 0.50 corrected" in measure.told(seen, fair)
    assert "none of these" in measure.told(seen, {})


def test_the_judges_own_figures_stand_beside_each_share(faces, painter, tmp_path):
    report = evaluate(painter, faces, ["attributes"], n=8, per_attribute=1, out=tmp_path)
    stored = json.loads((tmp_path / "metrics.json").read_text())["figures"][0]["details"]
    of_all = read_json(zoo.path("tagger") / "figures.json")["sets"]["all"]["flags"]["glasses"]
    judge = stored["tagger on faces labelled by looking"]["glasses"]
    assert (judge["precision"], judge["recall"]) == (of_all["precision"], of_all["recall"])
    assert judge["faces"] == of_all["with it"]
    assert "glasses" in stored["corrected for the tagger"]
    assert "drill_hair" not in stored["corrected for the tagger"]
    assert "corrected for its mistakes" in report["attribute precision"].reading
    page = (tmp_path / "report.html").read_text()
    row = page[page.index("<td>glasses</td>") :].split("</tr>")[0]
    assert f"<td>{of_all['precision']:.4f}</td><td>{of_all['recall']:.4f}</td>" in row


def test_a_tagger_of_which_nothing_is_known():
    assert measure.judged_faces("illustration2vec:model.onnx") == {}
    assert set(measure.judged_faces(None)) == set(measure.judged_faces(str(zoo.path("tagger"))))
    assert np.isfinite(list(measure.judged_faces(None)["all"]["flags"]["smile"].values())).all()
