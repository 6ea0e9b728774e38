import pytest

import tfanime
from tfanime.core.files import write_text
from tfanime.core.images import save_image
from tfanime.core.labels import MAKEGIRLSMOE
from tfanime.drawn.faces import draw_faces

# Small enough that a step takes milliseconds; what is tested does not depend on the size.
TINY = {"generator": {"channels": 4}, "discriminator": {"channels": 4}, "batch_size": 8}


@pytest.fixture(scope="session")
def faces():
    """48 drawn faces of 16x16 with their labels, in memory."""
    images, labels = draw_faces(48, size=16)
    return tfanime.from_arrays(images, labels, MAKEGIRLSMOE)


@pytest.fixture(scope="session")
def packed(tmp_path_factory):
    """The same kind of faces as a packed folder, for processes of their own."""
    folder = tmp_path_factory.mktemp("faces")
    images, labels = draw_faces(32, size=16, seed=1)
    rows = [",".join(["file", *MAKEGIRLSMOE.columns])]
    for i, (image, row) in enumerate(zip(images, labels, strict=True)):
        save_image(folder / f"{i}.png", image)
        rows.append(",".join([f"{i}.png", *(str(int(x)) for x in row)]))
    write_text(folder / "labels.csv", "\n".join(rows) + "\n")
    out = tmp_path_factory.mktemp("packed") / "faces"
    tfanime.pack(folder, out, size=16, labels=folder / "labels.csv", progress=False)
    return out


@pytest.fixture
def graph():
    """With it, `train` compiles a graph of the step, as it does for users."""


@pytest.fixture
def train(request, tmp_path, monkeypatch):
    """`tfanime.train` with tiny networks, small sheets and nothing on the screen, and, without the
    fixture `graph`, no graph. Curves, which take as long as training such networks, are looked at
    in test_log and test_run_folder."""
    if "graph" not in request.fixturenames:
        monkeypatch.setattr("tfanime.gans.backend.compiled", lambda gan: gan.train_step)
    monkeypatch.setattr("tfanime.training.trainer.draw_curves", lambda run: None)
    monkeypatch.setattr("tfanime.training.samples.COUNT", 16)

    def run(recipe, data, out="run", **options):
        options = {**TINY, "tensorboard": False, "progress": False, **options}
        return tfanime.train(recipe, data, out=tmp_path / out, **options)

    return run
