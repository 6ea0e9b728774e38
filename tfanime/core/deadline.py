"""A time by which a whole HTTP answer must be there.

`requests` limits the wait for each piece of an answer, and not the whole: a server that sends a
byte now and then holds a call for ever. Here the socket is shut when the time is up.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


class Deadline:
    """Shuts the socket in use when the time is up, which ends whatever waits for it: a handshake
    and endless headers as well as a body that comes byte by byte.

    One thread watches all requests. They have the same time each, so that it need not be woken
    for a new one: whatever it waits for ends before the new one does.

    Args:
        seconds: that a request has.
    """

    def __init__(self, seconds: float):
        self.seconds, self.passed = seconds, False
        self._due: float | None = None
        self._socket: socket.socket | None = None
        self._closed = False
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        with self._changed:
            self.passed, self._socket = False, None
            self._due = time.monotonic() + self.seconds
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, daemon=True)
                self._thread.start()

    def use(self, connection: socket.socket) -> None:
        with self._changed:
            self._socket = connection
            if self.passed:
                self._shut()

    def stop(self) -> None:
        with self._changed:
            self._due = None

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _watch(self) -> None:
        with self._changed:
            while not self._closed:
                seconds = self.seconds if self._due is None else self._due - time.monotonic()
                if seconds > 0:
                    self._changed.wait(seconds)
                else:
                    self.passed, self._due = True, None
                    self._shut()

    def _shut(self) -> None:
        if self._socket is not None:
            with suppress(OSError):  # the other side was faster
                self._socket.shutdown(socket.SHUT_RDWR)


def pools(deadline: Callable[[], Deadline]) -> dict:
    """urllib3's pools by scheme, with connections that let `deadline()` know their sockets."""

    class Watched:
        def _new_conn(self):
            connection = super()._new_conn()
            deadline().use(connection)  # for the handshake of TLS, which wraps it
            return connection

        def connect(self):
            super().connect()
            deadline().use(self.sock)

        def request(self, *arguments, **options):
            if self.sock is not None:  # kept open since the last request
                deadline().use(self.sock)
            return super().request(*arguments, **options)

    class Plain(Watched, HTTPConnection):
        pass

    class Secure(Watched, HTTPSConnection):
        pass

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
