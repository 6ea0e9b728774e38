"""The same face with every value of some attributes, and whether it stays the same."""

import numpy as np
import pytest

import tfanime
from tests.editing.tiny_editing import DIM, SCHEMA, SIZE
from tfanime.core import seeds
from tfanime.core.decode import read_image
from tfanime.editing.character_sheet import captioned
from tfanime.editing.identity import identity
from tfanime.metrics.extractor import Extractor
from tfanime.sampling.face import Face
from tfanime.zoo.directions import weights_digest


def test_every_combination_of_one_face(folder, tmp_path):
    out = tmp_path / "sheet.png"
    made = tfanime.character_sheet(folder, 7, ["hat", "hair"], out=out)
    np.testing.assert_array_equal(made.latents, seeds.latents(7, 1, DIM).repeat(4, axis=0))
    hats, hairs = [0, 0, 1, 1], [[1, 0], [0, 1]] * 2
    np.testing.assert_array_equal(made.labels, np.c_[hairs, hats])
    assert made.seed == 7 and made.images.shape == (4, SIZE, SIZE, 3)
    width, height = read_image(out).size
    assert width > 2 * SIZE + 20 and height > 2 * SIZE + 8  # captions beside and above


def test_what_does_not_vary_is_the_seeds_own(folder):
    own = seeds.sample_labels(7, 1, SCHEMA)[0]
    made = tfanime.character_sheet(folder, 7, "hair")
    np.testing.assert_array_equal(made.labels[:, 2], own[[2, 2]])
    fixed = tfanime.character_sheet(folder, 7, "hair", tags={"hat": not own[2]})
    np.testing.assert_array_equal(fixed.labels[:, 2], 1 - own[[2, 2]])


def test_a_direction_varies_from_minus_3_to_3(with_directions):
    made = tfanime.character_sheet(with_directions, 7, ["smile", "hair"], move={"sefa-1": 1})
    expected = seeds.latents(7, 1, DIM).repeat(6, axis=0)
    expected[:, 0] += np.repeat([-3, 0, 3], 2)
    expected[:, 1] += 1
    np.testing.assert_allclose(made.latents, expected, atol=1e-6)


def test_a_face_from_a_file_has_a_sheet(folder):
    latent, row = np.ones(DIM, np.float32), np.float32([0, 1, 1])
    face = Face("tiny", weights_digest(folder), latent, SCHEMA.columns, row)
    made = tfanime.character_sheet(folder, vary=["hair"], face=face)
    np.testing.assert_array_equal(made.labels, [[1, 0, 1], [0, 1, 1]])
    np.testing.assert_array_equal(made.latents, np.ones((2, DIM)))
    assert made.seed is None
    with pytest.raises(ValueError, match="of one face.*seed 3"):
        tfanime.character_sheet(folder, 3, ["hair"], face=face)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"vary": ["hiar"]}, r"label or a direction of tiny: hair, hat\. Received: 'hiar'\. Did"),
        ({"vary": []}, "vary is one name or more"),
        ({"vary": ["hat", "hat"]}, "each once"),
        ({"vary": ["hat"], "tags": {"hat": True}}, "'hat' as both"),
        ({"vary": ["hat"], "out": "a.gif"}, "out, the sheet, ends in"),
    ],
)
def test_sheets_that_cannot_be_are_refused(folder, options, says):
    with pytest.raises(ValueError, match=says):
        tfanime.character_sheet(folder, **options)


def test_images_keep_their_places_under_captions():
    images = np.arange(6, dtype=np.uint8).repeat(40 * 40 * 3).reshape(6, 40, 40, 3)
    sheet = captioned(images, ["one", "two", "a third of many words"], ["up", "down"])
    plain = captioned(images, ["", "", ""], ["", ""])
    assert plain.shape == (2 * 44 + 8, 3 * 44 + 4, 3) and sheet.shape[0] > plain.shape[0]
    for i in range(6):
        top, left = 8 + i // 3 * 44, 4 + i % 3 * 44
        assert (plain[top : top + 40, left : left + 40] == i).all()
    dark = (sheet == 0).all(axis=2)
    assert dark[: len(sheet) - 88].any()  # letters above


def test_identity_is_told_by_what_labels_leave_alone(folder):
    def measured(channels):
        def compute(images):
            return images[:, 0, 0, channels] - 127.5

        network = Extractor("stand-in", "", "", SIZE, SIZE, compute)
        return identity(folder, range(6), ["hair"], extractor=network)

    latents = measured([1, 2])  # green and blue follow the latents
    assert latents.told == 1 and latents.same < 0.01 < latents.others
    assert (latents.faces, latents.pictures) == (6, 6)
    labels = measured([0, 0])  # red follows the hair
    assert labels.told == pytest.approx(1 / 6) and labels.same == pytest.approx(labels.others)
    with pytest.raises(ValueError, match="where there are two"):
        identity(folder, [1], ["hair"])
