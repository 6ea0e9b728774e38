"""How fast a host may be asked, remembered on disk so that every process keeps to it."""

from __future__ import annotations

import os
import random
import sqlite3
import time
from pathlib import Path

BUSY_SECONDS = 60  # how long another process may hold the table


class Pace:
    """Lets requests to a host pass one by one, at least `1 / rate` seconds apart.

    The moment at which a host may next be asked is kept in an SQLite table shared by all
    processes of a user, so that neither a second collection nor one that was killed and started
    again exceeds the rate. A pause that the host asked for (Retry-After) is kept there as well.

    Args:
        path: the table's file.
        rate: requests a second to one host.
        jitter: up to this share of the interval is added at random.
        longest: pauses above this many seconds are not waited for but raised.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        rate: float = 1.0,
        jitter: float = 0.3,
        longest: float = 900.0,
    ):
        if not 0 < rate <= 1000:
            raise ValueError(
                f"rate is a number of requests a second, above 0. Received: {rate}. "
                "1 is polite; a site's robots.txt may ask for less."
            )
        self.interval, self.jitter, self.longest = 1.0 / rate, jitter, longest
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        # Every statement is its own transaction: a killed process leaves no half-written row.
        self._table = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        self._table.execute("PRAGMA journal_mode=WAL")
        self._table.execute("PRAGMA synchronous=NORMAL")
        self._table.execute(
            "CREATE TABLE IF NOT EXISTS hosts (host TEXT PRIMARY KEY, next REAL NOT NULL)"
        )

    def wait(self, host: str, least: float = 0.0) -> None:
        """Takes the host's next turn and sleeps until it has come.

        Args:
            host: name with port.
            least: an interval that the host asks for (Crawl-delay), where it is the longer one.

        Raises:
            RuntimeError: if the turn is further away than `longest` seconds.
        """
        interval = max(self.interval, least)
        self._table.execute("BEGIN IMMEDIATE")
        try:
            row = self._table.execute("SELECT next FROM hosts WHERE host = ?", (host,)).fetchone()
            now = time.time()
            turn = max(now, row[0]) if row else now
            if turn - now > max(self.longest, 2 * interval):
                raise RuntimeError(
                    f"{host} asked for a pause of another {turn - now:,.0f} seconds. "
                    "Run the same command again after that; it continues where it stopped."
                )
            self._set(host, turn + interval)
        finally:
            self._table.execute("COMMIT")
        while (left := turn - time.time()) > 0:
            time.sleep(left)

    def answered(self, host: str, least: float = 0.0) -> None:
        """Counts the interval from now on, when the answer is here: a slow host is asked less."""
        interval = max(self.interval, least)
        self._later(host, time.time() + interval * (1 + random.uniform(0, self.jitter)))

    def pause(self, host: str, seconds: float) -> None:
        """Nobody asks the host for so many seconds."""
        self._later(host, time.time() + seconds)

    def close(self) -> None:
        self._table.close()

    def _later(self, host: str, moment: float) -> None:
        self._table.execute(
            "INSERT INTO hosts VALUES (?, ?) "
            "ON CONFLICT(host) DO UPDATE SET next = max(next, excluded.next)",
            (host, moment),
        )

    def _set(self, host: str, moment: float) -> None:
        self._table.execute("INSERT OR REPLACE INTO hosts VALUES (?, ?)", (host, moment))
