"""Progress bars on a terminal, in a notebook, as lines in a log, and one for work of many parts."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec

LINE_SECONDS = 15  # between two lines where there is no terminal
SHARE = 0.5  # of what is left of a step, for each bar within it: how many there are is not known


def progress_bar(iterable: Iterable | None = None, *, disable: bool = False, **options):
    """A bar of tqdm that suits what it is shown on.

    Within `overall` it is no bar of its own: it moves the one that is there. Where standard error
    is no terminal, it writes a line every 15 seconds, without carriage returns.

    Args:
        iterable, disable, **options: as for `tqdm.tqdm`.
    """
    if _Overall.running is not None and not disable:
        return _Part(_Overall.running, iterable, options.get("total"))
    if "ipykernel" in sys.modules and find_spec("ipywidgets"):
        from tqdm.notebook import tqdm

        return tqdm(iterable, disable=disable, **options)
    from tqdm import tqdm

    if sys.stderr is not None and not sys.stderr.isatty():
        options |= {"file": _Lines(), "mininterval": LINE_SECONDS, "maxinterval": LINE_SECONDS}
        options["dynamic_ncols"] = False
        if "bar_format" in options:
            options["bar_format"] = options["bar_format"].replace("{bar}|", "")
        else:
            options["ncols"] = 0  # no bar; tqdm then takes no other layout
    return tqdm(iterable, disable=disable, **options)


@contextmanager
def overall(weights: Mapping[str, float], disable: bool = False) -> Iterator[_Overall]:
    """One bar with the time that is left, for steps that have bars of their own.

    Args:
        weights: name of each step to the time that it takes, compared with the others.
        disable: show nothing; bars within show themselves as ever.

    Example:
        >>> with overall({"drawing": 1, "measuring": 3}, disable=True) as bar:
        ...     for name in ("drawing", "measuring"):
        ...         with bar.step(name):
        ...             pass
    """
    if disable or _Overall.running is not None:
        yield _Overall(weights, None)
        return
    # Of all that was done so far: the last seconds say little about steps that differ.
    layout = "{l_bar}{bar}| {elapsed}<{remaining}"
    with progress_bar(total=sum(weights.values()), bar_format=layout, smoothing=0) as bar:
        _Overall.running = _Overall(weights, bar)
        try:
            yield _Overall.running
        finally:
            _Overall.running = None


class _Overall:
    running: _Overall | None = None

    def __init__(self, weights: Mapping[str, float], bar):
        self.weights, self.bar = weights, bar
        self.before = self.weight = self.inside = 0.0

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        self.weight, self.inside = self.weights[name], 0.0
        if self.bar is not None:
            self.bar.set_description(name)
        yield
        self.move(1.0)
        self.before += self.weight

    def move(self, share: float) -> None:
        """Says how much of the step is done."""
        self.inside = share
        if self.bar is not None:
            self.bar.update(self.before + share * self.weight - self.bar.n)


class _Part:
    """What stands for a bar within `overall`."""

    def __init__(self, whole: _Overall, iterable: Iterable | None, total: float | None):
        self.whole, self.iterable = whole, iterable
        self.total = len(iterable) if total is None and hasattr(iterable, "__len__") else total
        self.n, self.begun = 0, whole.inside

    def __enter__(self) -> _Part:
        return self

    def __exit__(self, *error) -> None:
        pass

    def __iter__(self) -> Iterator:
        for one in self.iterable:
            yield one
            self.update(1)

    def update(self, n: float = 1) -> None:
        self.n += n
        if self.total:
            share = min(self.n / self.total, 1.0)
            self.whole.move(self.begun + (1 - self.begun) * SHARE * share)

    def reset(self, total: float | None = None) -> None:
        self.n, self.total = 0, total or self.total

    def set_postfix_str(self, text: str, refresh: bool = True) -> None:
        pass

    def close(self) -> None:
        pass


class _Lines:
    """Standard error for bars in a log: whole lines, none twice."""

    last = ""

    def write(self, text: str) -> None:
        line = text.replace("\r", "").replace("%| ", "% ").strip()  # where the bar is left out
        if line and line != self.last:
            sys.stderr.write(line + "\n")
            self.last = line

    def flush(self) -> None:
        sys.stderr.flush()
