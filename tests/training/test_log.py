from PIL import Image

from tfanime.training.log import Log, draw_curves, read


def filled(run, state=None, step=0, steps=range(1, 7), every=2):
    log = Log(run, every, step, state)
    for number in steps:
        log.add(number, {"d_loss": float(number), "g_loss": -1.0}, images=8)
    return log


def losses(run):
    return [(row["step"], row["d_loss"]) for row in read(run)]


def test_rows_are_means_of_their_interval(tmp_path):
    filled(tmp_path)
    assert losses(tmp_path) == [("2", "1.5"), ("4", "3.5"), ("6", "5.5")]
    assert all(float(row["images_per_second"]) > 0 for row in read(tmp_path))


def test_resumed_run_drops_what_came_after_its_checkpoint(tmp_path):
    filled(tmp_path)
    filled(tmp_path, step=4, steps=range(5, 9))
    assert losses(tmp_path) == [("2", "1.5"), ("4", "3.5"), ("6", "5.5"), ("8", "7.5")]


def test_row_that_was_begun_is_finished(tmp_path):
    state = filled(tmp_path, steps=range(1, 4)).state()
    filled(tmp_path, state, step=3, steps=range(4, 5))
    assert losses(tmp_path) == [("2", "1.5"), ("4", "3.5")]


def test_a_run_shorter_than_an_interval_keeps_its_figures(tmp_path):
    log = filled(tmp_path, steps=range(1, 4), every=50)
    assert losses(tmp_path) == []
    log.flush(3, images=8)
    log.flush(3, images=8)  # nothing new
    assert losses(tmp_path) == [("3", "2")]


def test_a_flushed_row_goes_on_when_the_run_is_resumed(tmp_path):
    """As if the run had never stopped."""
    log = filled(tmp_path, steps=range(1, 6), every=4)
    state = log.state()
    log.flush(5, images=8)
    assert losses(tmp_path) == [("4", "2.5"), ("5", "5")]
    filled(tmp_path, state, step=5, steps=range(6, 9), every=4)
    assert losses(tmp_path) == [("4", "2.5"), ("8", "6.5")]


def test_row_cut_short_by_a_crash_is_left_out(tmp_path):
    filled(tmp_path)
    with (tmp_path / "log.csv").open("a") as file:
        file.write("8,7.")
    assert [step for step, _ in losses(tmp_path)] == ["2", "4", "6"]


def test_curves(tmp_path):
    draw_curves(tmp_path)  # nothing to draw yet
    assert not (tmp_path / "curves.png").exists()
    filled(tmp_path)
    draw_curves(tmp_path)
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.width > 500
