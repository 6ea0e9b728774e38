"""How fast a host may be asked, remembered on disk so that every process keeps to it."""

from __future__ import annotations

import os
import random
import sqlite3
import time
from pathlib import Path

from tfanime.core.cache import writing

BUSY_SECONDS = 60  # how long another process may hold the table
LONGEST_PAUSE = 21_600  # seconds that are remembered, whatever a server says
LONGEST_DELAY = 60.0  # seconds between two requests that robots.txt can ask for


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

    Raises:
        ValueError: for a rate that cannot be.
        OSError: if the table cannot be written.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        rate: float = 1.0,
        jitter: float = 0.3,
        longest: float = 900.0,
    ):
        if not 1 / LONGEST_PAUSE <= rate <= 1000:
            raise ValueError(
                "rate is a number of requests a second, at most 1000, and at least one in "
                f"{LONGEST_PAUSE:,} seconds. Received: {rate}. "
                "1 is polite; a site's robots.txt may ask for less."
            )
        self.interval, self.jitter, self.longest = 1.0 / rate, jitter, longest
        self._folder = Path(path).parent
        with writing(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            # Every statement is its own transaction: a killed process leaves no half-written row.
            self._table = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
        self._do("PRAGMA journal_mode=WAL")
        self._do("PRAGMA synchronous=NORMAL")
        self._do("CREATE TABLE IF NOT EXISTS hosts (host TEXT PRIMARY KEY, next REAL NOT NULL)")
        # Nothing here writes a later moment: it was left by tfanime 0.1, which believed any
        # Crawl-delay, or by a clock that went wrong.
        self._do("DELETE FROM hosts WHERE next > ?", time.time() + 2 * LONGEST_PAUSE)

    def wait(self, host: str, least: float = 0.0) -> None:
        """Takes the host's next turn and sleeps until it has come.

        Args:
            host: name with port.
            least: an interval that the host asks for (Crawl-delay), where it is the longer one;
                counted up to `LONGEST_DELAY`.

        Raises:
            RuntimeError: if the turn is further away than `longest` seconds.
            OSError: if the table cannot be written.
        """
        interval = self._between(least)
        self._do("BEGIN IMMEDIATE")
        try:
            row = self._do("SELECT next FROM hosts WHERE host = ?", host).fetchone()
            now = time.time()
            turn = max(now, row[0]) if row else now
            if turn - now > max(self.longest, 2 * interval):
                raise RuntimeError(
                    f"{host} asked for a pause of another {turn - now:,.0f} seconds. "
                    "Run the same command again after that; it continues where it stopped."
                )
            self._set(host, turn + interval)
        finally:
            self._do("COMMIT")
        while (seconds := turn - time.time()) > 0:
            time.sleep(seconds)

    def answered(self, host: str, least: float = 0.0) -> None:
        """Counts the interval from now on, when the answer is here: a slow host is asked less."""
        interval = self._between(least)
        self._later(host, time.time() + interval * (1 + random.uniform(0, self.jitter)))

    def pause(self, host: str, seconds: float) -> None:
        """Nobody asks the host for so many seconds, or for `LONGEST_PAUSE`."""
        self._later(host, time.time() + min(seconds, LONGEST_PAUSE))

    def close(self) -> None:
        self._table.close()

    def _between(self, least: float) -> float:
        return max(self.interval, min(least, LONGEST_DELAY))

    def _later(self, host: str, moment: float) -> None:
        self._do(
            "INSERT INTO hosts VALUES (?, ?) "
            "ON CONFLICT(host) DO UPDATE SET next = max(next, excluded.next)",
            host,
            moment,
        )

    def _set(self, host: str, moment: float) -> None:
        self._do("INSERT OR REPLACE INTO hosts VALUES (?, ?)", host, moment)

    def _do(self, statement: str, *values: object) -> sqlite3.Cursor:
        with writing(self._folder):
            return self._table.execute(statement, values)
