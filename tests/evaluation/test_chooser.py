"""A chooser learnt from a filled form: of a generator whose broken images are known beforehand."""

import json
import shutil

import numpy as np
import pytest
from click.testing import CliRunner

from tests.evaluation.test_steer import GREEN, colours, copy, first, judged  # noqa: F401
from tfanime.cli import main
from tfanime.evaluation import by_eye
from tfanime.evaluation.by_eye import chooser
from tfanime.sampling.generate import generate
from tfanime.zoo import saved
from tfanime.zoo.chooser import load_chooser

pytestmark = pytest.mark.slow


def green(result):
    return colours(result.images)[:, 1] > GREEN


@pytest.fixture(scope="module")
def trained(first, tmp_path_factory):  # noqa: F811
    """The folder of a model that has a chooser, and what the command said."""
    with pytest.MonkeyPatch.context() as patch:
        folder = copy(first, tmp_path_factory.mktemp("trained"), patch)
        patch.setattr(chooser, "EPOCHS", 6)
        words = "judge chooser judging --features bands --draws 2000 --keep 0.6"
        told = CliRunner().invoke(main, words, catch_exceptions=False)
    assert told.exit_code == 0, told.output
    return folder / "tiny", told


@pytest.fixture
def chosen(judged, trained):  # noqa: F811
    """The folder of judging, its model with the chooser."""
    shutil.copytree(trained[0], judged / "tiny", dirs_exist_ok=True)
    return judged


def test_a_trained_chooser_passes_over_broken_images(chosen, trained):
    told = trained[1]
    record = json.loads((chosen / "tiny" / "chooser.json").read_text())
    learnt = record["trained"]
    assert learnt["judged"] == 120 and learnt["features"] == ["bands"]
    assert learnt["followed"] > 0.7 and learnt["told_judged"] > 0.9
    assert abs(learnt["kept"] - 0.6) < 0.02 and learnt["after"] < learnt["before"] / 3
    assert f"it keeps {learnt['kept']:.2f}" in told.output
    every, whole = (generate("tiny", 200, 77, choose=choose) for choose in (False, None))
    assert 0.2 < green(every).mean() < 0.4 and green(whole).mean() < green(every).mean() / 4
    # The images are those of the seed, and the score is what the stored network says.
    assert whole.indices[-1] > 250
    some = whole.indices < 200
    np.testing.assert_array_equal(every.images[whole.indices[some]], whole.images[some])
    scores = load_chooser("tiny", saved.load_generator("tiny"))(every.images / 127.5 - 1)
    assert np.corrcoef(scores, green(every))[0, 1] > 0.7


def test_sheets_show_what_is_chosen_and_are_learnt_from_again(chosen):
    by_eye.sheets(["tiny"], "again", per_value=30, per_flag=30, seed=9)
    key = json.loads((chosen / "again" / "key.json").read_text())
    some = [e for e in key["images"] if e["seed"] == 9]
    shown = generate("tiny", 30, 9, some[0]["asked"])
    assert sorted(e["index"] for e in some) == shown.indices.tolist()
    drawn = chooser.brokenness._drawn(key)
    at = {index: image for index, image in zip(shown.indices, shown.images, strict=True)}
    for entry, image in zip(key["images"], drawn, strict=True):
        if entry["seed"] == 9:
            np.testing.assert_array_equal(image, at[entry["index"]])


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"draws": 999}, "learns from 1,000 draws or more.*Received: 999 draws"),
        ({"keep": 1.0}, "keeps a share between 0 and 1.*a share of 1"),
        ({"form": "form.csv", "folders": ["a", "b"]}, "form is that of one folder.*2 folders"),
    ],
)
def test_what_cannot_be_learnt_from_is_refused(wrong, said):
    with pytest.raises(ValueError, match=said):
        by_eye.train_chooser(**{"folders": "judging"} | wrong)
