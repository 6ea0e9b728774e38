"""One request and its whole answer, within limits of size and time.

`requests` limits the wait for each piece of an answer, but neither the whole time nor the size;
both are limited here, in the adapter, below the cache. Only answers that came whole get there.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from http.cookiejar import Cookie, DefaultCookiePolicy

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPResponse

from tfanime.core.deadline import Deadline, pools

PIECE = 1 << 16
COOKIES, COOKIE_BYTES = 50, 4096  # what RFC 6265, section 6.1, asks of a browser for a host


@dataclass(frozen=True)
class Limits:
    """What one answer may cost.

    Args:
        size: bytes after decompression.
        silence: seconds without a byte, and to connect.
        total: seconds from the request to the last byte.
        redirects: hops.
        attempts: requests for one address when the answers fail in ways that may pass.
        patience: longest wait between two attempts, in seconds.
    """

    size: int = 20_000_000
    silence: float = 30.0
    total: float = 120.0
    redirects: int = 5
    attempts: int = 6
    patience: float = 120.0


class TooLarge(requests.RequestException):
    """The answer has more bytes than allowed."""


class TooSlow(requests.Timeout):
    """The answer took longer than allowed."""


class CookiePolicy(DefaultCookiePolicy):
    """Cookies go back to the host that set them, within limits: no site fills memory with them."""

    def __init__(self):
        super().__init__()
        self._known: set[tuple[str, str, str]] = set()

    def set_ok(self, cookie: Cookie, request) -> bool:
        if len(cookie.name) + len(cookie.value or "") > COOKIE_BYTES:
            return False
        place = (cookie.domain, cookie.path, cookie.name)
        others = sum(1 for domain, _, _ in self._known if domain == cookie.domain)
        if place not in self._known and others >= COOKIES:
            return False
        if not super().set_ok(cookie, request):
            return False
        self._known.add(place)
        return True


class PoliteAdapter(HTTPAdapter):
    """Sends a request when it is its turn and reads the answer within `limits`.

    Args:
        limits: see `Limits`.
        turn: called with the address right before each request is sent.
        answered: called with the address when the answer is there, or failed.
    """

    def __init__(
        self, limits: Limits, turn: Callable[[str], None], answered: Callable[[str], None]
    ):
        self.limits, self.turn, self.answered = limits, turn, answered
        self._deadline = Deadline(limits.total)
        super().__init__(max_retries=0)

    def init_poolmanager(self, *arguments, **options):
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = pools(lambda: self._deadline)

    def send(self, request, stream=False, timeout=None, **options) -> requests.Response:
        self.turn(request.url)
        self._deadline.start()
        try:
            response = super().send(request, stream=True, timeout=self.limits.silence, **options)
            try:
                body = self._read(response)
            finally:
                response.raw.close()
            return _with_body(response, body)
        except TooLarge:
            raise
        except Exception as error:
            if self._deadline.passed:
                raise TooSlow(f"no end after {self.limits.total:g} s", request=request) from error
            if isinstance(error, requests.RequestException):
                raise
            # urllib3's errors while reading: cut off, silent, badly compressed.
            raise requests.ConnectionError(error, request=request) from error
        finally:
            self._deadline.stop()
            self.answered(request.url)

    def close(self) -> None:
        self._deadline.close()
        super().close()

    def _read(self, response: requests.Response) -> bytes:
        body = bytearray()
        for piece in response.raw.stream(PIECE, decode_content=True):
            body += piece
            if len(body) > self.limits.size:
                raise TooLarge(f"more than {self.limits.size:,} bytes", response=response)
        if self._deadline.passed:
            raise TooSlow(f"no end after {self.limits.total:g} s")
        return bytes(body)


def _with_body(response: requests.Response, body: bytes) -> requests.Response:
    """The answer with its body in memory, decompressed and saying so.

    The original answer stays inside: the session reads the cookies of it.
    """
    for name in ("Content-Encoding", "Transfer-Encoding"):
        response.headers.pop(name, None)
    response.headers["Content-Length"] = str(len(body))
    response.raw = HTTPResponse(
        body=io.BytesIO(body),
        headers=dict(response.headers),
        status=response.status_code,
        reason=response.reason,
        request_url=response.url,
        original_response=getattr(response.raw, "_original_response", None),
        preload_content=False,
    )
    return response
