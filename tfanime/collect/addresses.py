"""Which addresses may be asked: pages name links that nobody here has checked."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterable
from urllib.parse import SplitResult, urljoin, urlsplit

SCHEMES = ("http", "https")


def check(url: str, hosts: Iterable[str], own: Iterable[str] = ()) -> None:
    """Raises ValueError `"REASON: detail"` unless `url` may be asked.

    Args:
        url: an absolute address.
        hosts: names of the hosts that belong to the site; their subdomains belong to it too.
        own: `host:port` of servers that the user named; these alone may be on a private network.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError as error:
        raise ValueError(f"bad address: {_short(url)}") from error
    if parts.scheme not in SCHEMES:
        raise ValueError(f"foreign scheme: {_short(url)}; only http and https are asked")
    if not host or parts.username is not None or parts.password is not None:
        raise ValueError(f"bad address: {_short(url)}")
    if place(url) in set(own):
        return
    if not any(host == name or host.endswith("." + name) for name in hosts):
        allowed = ", ".join(sorted({*hosts, *own}))
        raise ValueError(f"foreign host: {host} is none of {allowed}")
    if is_private(host, port or (443 if parts.scheme == "https" else 80)):
        raise ValueError(f"private host: {host} is on a private network")


def join(base: str, link: str) -> str:
    """`link` as seen from `base`; a link that is none stays as it is, for `check` to refuse."""
    try:
        return urljoin(base, link.strip())
    except ValueError:
        return link


def split(url: str) -> SplitResult:
    """The parts of an address; of what is none, empty ones."""
    try:
        return urlsplit(url.strip())
    except ValueError:
        return urlsplit("")


def place(url: str) -> str:
    """`host:port` of an address, the port always there."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return f"{(parts.hostname or '').lower()}:{port}"


def server(url: str) -> str:
    """`place` of a server that the user named.

    Raises:
        ValueError: if it is no server's address.
    """
    try:
        if urlsplit(url).scheme in SCHEMES and urlsplit(url).hostname:
            return place(url)
    except ValueError:
        pass  # a port that is none
    raise ValueError(f"A server is named like http://host:port. Received: {_short(url)}.")


def is_private(host: str, port: int) -> bool:
    """Whether a name leads to this machine or its network. Unknown names lead nowhere."""
    try:
        addresses = {
            entry[4][0] for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        }
    except (OSError, UnicodeError):
        return False
    return any(not ipaddress.ip_address(text.partition("%")[0]).is_global for text in addresses)


def _short(url: str) -> str:
    return repr(url if len(url) < 100 else url[:97] + "...")
