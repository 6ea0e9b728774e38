"""One polite client for all sites.

A request passes: robots.txt -> cache on disk (requests-cache, with conditional requests when a
copy is renewed) -> the host's pace -> limits of size and time; a failure that may pass is tried
again with exponential back-off, or after the time that the server asks for (tenacity).
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tfanime.collect import addresses
from tfanime.collect.answers import GONE, HTML, PASSING, REDIRECTS, REFUSED, Answer, FetchError
from tfanime.core.cache import cache_folder
from tfanime.version import __version__

if TYPE_CHECKING:
    import requests

    from tfanime.collect.transport import Limits

ROBOTS_AGE = timedelta(days=1)  # RFC 9309, section 2.4
ROBOTS_LIMIT = 500 * 1024  # and section 2.5
REPEATED = 8  # addresses in a row that fail in passing ways, after which the site counts as down


class Client:
    """Fetches addresses of one site, each once, politely.

    Args:
        folder: where answers and the journal are kept; the same folder again means that nothing
            is asked twice.
        hosts: names of the site's hosts, subdomains included; nothing else is asked.
        own: addresses of servers that the user named, which may be on a private network.
        rate: requests a second to one host, at most; robots.txt may ask for less.
        contact: an e-mail address or web page at which the site's owners can complain. It goes
            into the User-Agent.
        limits: of each answer.
        shared: folder of the pace that all processes keep, by default the cache of tfanime.
        refresh: ask whether the stored answers have changed (conditional requests).

    Raises:
        ImportError: without the `data` extra.
        ValueError: for a rate or a contact that cannot be.
        OSError: if `shared` cannot be written.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        hosts: Iterable[str],
        own: Iterable[str] = (),
        rate: float = 1.0,
        contact: str | None = None,
        limits: Limits | None = None,
        shared: str | os.PathLike | None = None,
        refresh: bool = False,
    ):
        try:
            import requests_cache
            import tenacity  # noqa: F401
            from protego import Protego  # noqa: F401

            from tfanime.collect.rate_limit import Pace
            from tfanime.collect.transport import CookiePolicy, Limits, PoliteAdapter
        except ImportError as error:
            raise ImportError(
                f"Collecting needs packages that are not installed ({error.name}): "
                'pip install ".[data]" in a checkout'
            ) from error

        self.agent = user_agent(contact)
        self.hosts, self.own = tuple(hosts), tuple(addresses.server(url) for url in own)
        self.limits, self.refresh = limits or Limits(), refresh
        self.requests = 0  # sent, over the life of this object
        self._failed_in_a_row = 0
        self._robots: dict[str, object] = {}
        self._delays: dict[str, float] = {}
        self.pace = Pace(cache_folder(shared) / "hosts.sqlite", rate)
        Path(folder).mkdir(parents=True, exist_ok=True)
        self.session = requests_cache.CachedSession(
            str(Path(folder) / "answers.sqlite"),
            backend="sqlite",
            serializer="json",  # and not pickle: a folder may come from somebody else
            wal=True,
            expire_after=requests_cache.NEVER_EXPIRE,
            allowable_codes=(200, *REDIRECTS, *GONE),
            # Two collections with different contacts find the same answers.
            ignored_parameters=["User-Agent"],
            filter_fn=_may_be_kept,
        )
        self.session.cookies.set_policy(CookiePolicy())
        self.session.headers.update(
            {
                "User-Agent": self.agent,
                "Accept-Encoding": "gzip, deflate",
                "Accept": "*/*",
                "Accept-Language": "en,ja;q=0.8",
            }
        )
        adapter = PoliteAdapter(self.limits, self._turn, self._answered)
        for scheme in ("http://", "https://"):
            self.session.mount(scheme, adapter)

    # ---- public ----------------------------------------------------------------------------

    def get(self, url: str, kinds: Iterable[str] = HTML, keep: bool = True) -> Answer:
        """The answer to `url`, from the cache if it was ever given.

        Args:
            url: an address of the site.
            kinds: content types that are wanted; one that ends in `/` stands for all of its sort.
            keep: whether to store the answer. Images are stored elsewhere.

        Raises:
            FetchError: with a reason; `passing` tells whether trying later can help.
            RuntimeError: if the host asks for a long pause, or fails again and again.
        """
        try:
            response = self._follow(url, keep)
            self._check_kind(response, tuple(kinds))
        except FetchError as error:
            self._failed_in_a_row = self._failed_in_a_row + 1 if error.passing else 0
            if self._failed_in_a_row >= REPEATED:
                raise RuntimeError(
                    f"{REPEATED} addresses in a row failed, the last one with {error}. The site "
                    "seems to be down, or to refuse programs: run the same command again later; "
                    "it continues where it stopped."
                ) from error
            raise
        cached = _is_cached(response)
        if not cached:  # a stored answer says nothing about the site as it is now
            self._failed_in_a_row = 0
        return Answer(url=response.url, kind=_kind(response), body=response.content, cached=cached)

    def close(self) -> None:
        self.session.close()
        self.pace.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *error) -> None:
        self.close()

    # ---- one address -----------------------------------------------------------------------

    def _follow(self, url: str, keep: bool) -> requests.Response:
        """GET with redirects, each hop checked like a link.

        A site may set a cookie and lead back to where it was asked: only an address that was asked
        with the same cookies before makes a circle.
        """
        first, visits = url, [(url, self._cookies())]
        while True:
            self._check_address(url)
            self._check_robots(url)
            again = url in (address for address, _ in visits[:-1])
            response = self._ask(url, keep, again=again)
            if response.status_code not in REDIRECTS:
                break
            target = addresses.join(url, response.headers.get("Location", ""))
            if len(visits) > self.limits.redirects or (target, self._cookies()) in visits:
                raise FetchError("redirect", f"{first} leads in circles or too far")
            if url.startswith("https:") and target.startswith("http:"):
                raise FetchError("redirect", f"{first} leads from https to http")
            url = target
            visits.append((url, self._cookies()))
        if response.status_code != 200:
            raise FetchError(f"status {response.status_code}", url)
        return response

    def _cookies(self) -> frozenset[tuple[str, ...]]:
        return frozenset((c.domain, c.path, c.name, c.value or "") for c in self.session.cookies)

    def _check_address(self, url: str) -> None:
        try:
            addresses.check(url, self.hosts, self.own)
        except ValueError as error:
            reason, _, detail = str(error).partition(": ")
            raise FetchError(reason, detail, asked=False) from error

    def _ask(
        self,
        url: str,
        keep: bool,
        age: timedelta | None = None,
        again: bool = False,
        passing: tuple[int, ...] = PASSING,
    ) -> requests.Response:
        """One hop, asked again while it fails in ways that may pass.

        Args:
            url: its address.
            keep: whether to store the answer.
            age: for how long it is good; None for ever.
            again: ask even where an answer is stored.
            passing: codes of answers that may pass.
        """
        import requests
        import tenacity

        from tfanime.collect.transport import TooLarge

        first = max(0.1, self.pace.interval)
        backoff = tenacity.wait_exponential(first, self.limits.patience)
        backoff += tenacity.wait_random(0, first)

        def wait(state: tenacity.RetryCallState) -> float:
            # A pause that the server asked for is kept by the pace, for all processes.
            error = state.outcome.exception()
            return 0.0 if getattr(error, "paused", False) else backoff(state)

        def once() -> requests.Response:
            try:
                response = self._send(url, keep, age, again)
            except TooLarge as error:
                raise FetchError("too large", f"{url}, {error}") from error
            except requests.Timeout as error:
                raise FetchError("too slow", url, passing=True) from error
            except requests.RequestException as error:
                raise FetchError("unreachable", f"{url} ({_first(error)})", True) from error
            except ValueError as error:  # requests looks at where a redirect leads
                raise FetchError("bad address", f"{url} leads to none ({error})") from error
            if response.status_code in passing:
                paused = self._pause(url, response)
                raise FetchError(f"status {response.status_code}", url, True, paused=paused)
            return response

        return tenacity.Retrying(
            retry=tenacity.retry_if_exception(lambda error: getattr(error, "passing", False)),
            stop=tenacity.stop_after_attempt(self.limits.attempts),
            wait=wait,
            reraise=True,
        )(once)

    def _send(self, url: str, keep: bool, age: timedelta | None, again: bool) -> requests.Response:
        if not keep:
            with self.session.cache_disabled():
                return self.session.get(url, allow_redirects=False)
        options = {"expire_after": age} if age else {}
        options |= {"allow_redirects": False, "refresh": self.refresh}
        response = self.session.get(url, force_refresh=again, **options)
        if _is_cached(response) and response.status_code in REFUSED:
            # Stored by tfanime 0.1, which believed it.
            response = self.session.get(url, force_refresh=True, **options)
        return response

    def _pause(self, url: str, response: requests.Response) -> bool:
        """Keeps a Retry-After, in seconds or as a date, for everybody who asks this host."""
        from urllib3.exceptions import InvalidHeader
        from urllib3.util import Retry

        from tfanime.collect.rate_limit import LONGEST_PAUSE

        value = response.headers.get("Retry-After")
        if not value:
            return False
        try:
            seconds = min(Retry().parse_retry_after(value), LONGEST_PAUSE)
        except (InvalidHeader, ValueError, OverflowError):
            return False
        self.pace.pause(addresses.place(url), seconds)
        return True

    def _check_kind(self, response: requests.Response, kinds: tuple[str, ...]) -> None:
        kind = _kind(response)
        if kind and not any(kind == k or (k.endswith("/") and kind.startswith(k)) for k in kinds):
            raise FetchError("wrong type", f"{response.url} is {kind}, not {' or '.join(kinds)}")

    # ---- pace and robots.txt ---------------------------------------------------------------

    def _turn(self, url: str) -> None:
        host = addresses.place(url)
        self.pace.wait(host, self._delays.get(host, 0.0))
        self.requests += 1

    def _answered(self, url: str) -> None:
        host = addresses.place(url)
        self.pace.answered(host, self._delays.get(host, 0.0))

    def _check_robots(self, url: str) -> None:
        rules = self._rules(url)
        if rules is not None and not rules.can_fetch(url, self.agent):
            raise FetchError("forbidden by robots.txt", url, asked=False)

    def _rules(self, url: str):
        """The rules of robots.txt for `url`'s host; None where everything is allowed."""
        from protego import Protego

        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        if origin in self._robots:
            return self._robots[origin]
        target = origin + "/robots.txt"
        for _ in range(self.limits.redirects + 1):
            self._check_address(target)
            # RFC 9309, section 2.3.1.3: without a robots.txt to be had, all is allowed.
            passing = tuple(code for code in PASSING if code not in REFUSED)
            response = self._ask(target, keep=True, age=ROBOTS_AGE, passing=passing)
            if response.status_code not in REDIRECTS:
                break
            target = addresses.join(target, response.headers.get("Location", ""))
        rules = None
        if response.status_code == 200:
            rules = Protego.parse(response.content[:ROBOTS_LIMIT].decode("utf-8", "replace"))
            self._delays[addresses.place(url)] = self._delay(origin, rules)
        self._robots[origin] = rules
        return rules

    def _delay(self, origin: str, rules) -> float:
        """The `Crawl-delay` of a robots.txt in seconds, as far as it is kept; 0 for none."""
        from tfanime.collect.rate_limit import LONGEST_DELAY

        seconds = float(rules.crawl_delay(self.agent) or 0)
        if seconds > LONGEST_DELAY:
            print(
                f"{origin}/robots.txt asks for {seconds:,.6g} seconds between requests, of which "
                f"{LONGEST_DELAY:g} are kept.",
                file=sys.stderr,
            )
        return min(seconds, LONGEST_DELAY) if seconds > 0 else 0.0  # it may be no number


def user_agent(contact: str | None = None) -> str:
    """What this is, in the words of a User-Agent; `contact` is where to complain.

    Raises:
        ValueError: if `contact` is neither an e-mail address nor a web page.
    """
    agent = f"tfanime/{__version__}"
    if contact is None:
        return f"{agent} (personal research collection)"
    if not re.fullmatch(r"[!-~]{3,200}", contact) or not re.search(r"@|^https?://", contact):
        raise ValueError(
            "contact is an e-mail address or a web page, without spaces. "
            f"Received: {contact[:100]!r}."
        )
    return f"{agent} (personal research collection; {contact})"


def _may_be_kept(response: requests.Response) -> bool:
    """Whether an answer may be stored: a redirect that sets a cookie is nothing without it."""
    return response.status_code not in REDIRECTS or "Set-Cookie" not in response.headers


def _is_cached(response: requests.Response) -> bool:
    return bool(getattr(response, "from_cache", False))


def _kind(response: requests.Response) -> str:
    return response.headers.get("Content-Type", "").partition(";")[0].strip().lower()


def _first(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
