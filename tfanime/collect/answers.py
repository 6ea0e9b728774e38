"""What an address gives: an answer, or the error that says why there is none."""

from __future__ import annotations

from dataclasses import dataclass

HTML = ("text/html", "application/xhtml+xml")
PICTURES = ("image/", "application/octet-stream", "binary/octet-stream")
REDIRECTS = (301, 302, 303, 307, 308)
GONE = (400, 404, 405, 406, 410, 451)
# A wall against robots says this of everything, for an hour, so it is believed of no address.
REFUSED = (401, 403)
PASSING = (*REFUSED, 408, 425, 429, 500, 502, 503, 504)


class FetchError(RuntimeError):
    """An address that did not give what was wanted.

    Args:
        reason: a few words shared by all such cases, for example `"status 404"`.
        detail: what exactly happened.
        passing: whether it may go well another time.
        asked: whether the address was asked at all.
        paused: whether the server said how long to wait, and the pace keeps to it.
    """

    def __init__(
        self,
        reason: str,
        detail: str,
        passing: bool = False,
        asked: bool = True,
        paused: bool = False,
    ):
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail
        self.passing, self.asked, self.paused = passing, asked, paused


@dataclass(frozen=True)
class Answer:
    """What an address gave: `url` after redirects, `kind` (content type) and `body`."""

    url: str
    kind: str
    body: bytes
    cached: bool


def unread(error: FetchError) -> RuntimeError:
    """What ends a collection whose list cannot be had."""
    advice = (
        "Run the same command again later; it continues where it stopped."
        if error.passing
        else "Look at it in a browser."
    )
    return RuntimeError(f"A list of the site cannot be read: {error}. {advice}")
