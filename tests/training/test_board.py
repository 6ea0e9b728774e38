"""What TensorBoard is given: the sheets of a run, to the pixel, at their steps."""

import io

import numpy as np
import pytest
from PIL import Image

tf = pytest.importorskip("tensorflow")


def events_of(folder):
    """`[(step, tag, value)]`: a value is an image `(H, W, 3)` uint8, or a number."""
    found = []
    for file in sorted(folder.glob("events.out.*")):
        for record in tf.data.TFRecordDataset(str(file)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            for value in event.summary.value:
                tensor = tf.make_ndarray(value.tensor)
                if value.metadata.plugin_data.plugin_name == "images":
                    with Image.open(io.BytesIO(tensor[2])) as opened:
                        tensor = np.asarray(opened.convert("RGB"))
                found.append((event.step, value.tag, tensor))
    return found


def test_tensorboard_shows_the_sheets(train, faces):
    run = train("dcgan", faces, steps=2, sample_every=1, tensorboard=True)
    events = events_of(run.path / "tensorboard")
    sheets = {step: image for step, tag, image in events if tag == "samples"}
    files = sorted((run.path / "samples").glob("*.png"))
    assert set(sheets) >= {1, 2} and len(files) >= 2
    for step in (1, 2):
        (file,) = (f for f in files if int("".join(c for c in f.stem if c.isdigit()) or -1) == step)
        np.testing.assert_array_equal(sheets[step], np.asarray(Image.open(file).convert("RGB")))
