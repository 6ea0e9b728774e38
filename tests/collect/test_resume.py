"""A collection of 70 records from a server that misbehaves, killed three times."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
import site_pages as pages
from bad_server import Reply, bomb, busy, endless, hung_up, moved, picture, truncated

from tfanime.collect import myanimelist
from tfanime.collect.transport import Limits

RATE = 200
COUNT = 70
ROOT = Path(__file__).resolve().parents[2]
COLLECT = """
import sys
from test_resume import collect
collect(*sys.argv[1:])
"""


def collect(out, table, address):
    limits = Limits(size=3_000_000, silence=1, total=2, attempts=3, patience=0.1)
    myanimelist.collect(
        out, ids=table, base_url=address, rate=RATE, limits=limits, contact="me@example.org",
        progress=False,
    )  # fmt: skip


def site(server):
    """Routes for COUNT anime, and which of them cannot be had."""
    lost = set()
    for own in range(1, COUNT + 1):
        page = pages.anime_2018(own, f"Title {own}").replace("https://cdn.example", server.url)
        path, image = f"/anime/{own}/", f"/images/anime/6/{own}.jpg"
        good = [Reply(page.encode()), Reply(picture(own), kind="image/jpeg")]
        replies = {path: [good[0]], image: [good[1]]}
        trouble = {
            5: (path, [truncated(page.encode()), good[0]]),
            10: (image, [truncated(good[1].body, "image/jpeg"), good[1]]),
            15: (path, [busy(429, "1"), good[0]]),
            20: (image, [busy(503), busy(503, "1"), good[1]]),
            25: (path, [hung_up(), good[0]]),
            30: (path, [moved(f"/moved/{own}")]),
            35: (path, [moved("http://example.org/")]),
            40: (path, [bomb(50)]),
            45: (image, [Reply(b"<html>no", kind="text/html")]),
            50: (path, [Reply(b"PK", kind="application/zip")]),
            55: (image, [endless(0, b"x" * 100_000)]),
            60: (path, [moved(path)]),
            65: (image, [Reply(b"not a picture", kind="image/jpeg")]),
        }
        if own in trouble:
            where, sequence = trouble[own]
            replies[where] = sequence
        if own in (35, 40, 45, 50, 55, 60, 65):
            lost.add(own)
        if own == 30:
            server.page(f"/moved/{own}", good[0])
        for where, sequence in replies.items():
            server.routes[where] = lambda n, headers, s=sequence: s[min(n, len(s)) - 1]
    return lost


def start(out, table, server):
    return subprocess.Popen(
        [sys.executable, "-c", COLLECT, str(out), str(table), server.url],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, Path(__file__).parent)))},
    )


@pytest.mark.slow
def test_three_kills(server, tmp_path):
    lost = site(server)
    out, table = tmp_path / "out", tmp_path / "ids.csv"
    table.write_text("id\n" + "".join(f"{own}\n" for own in range(1, COUNT + 1)))
    for limit in (30, 75, 95):  # in the pages, at their end, in the pictures
        process = start(out, table, server)
        while len(server.log) < limit and process.poll() is None:
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        assert not (out / "manifest.json").exists()
    collect(out, table, server.url)

    # Exactly the right set.
    rows = [json.loads(line) for line in (out / "records.jsonl").read_text().splitlines()]
    right = [own for own in range(1, COUNT + 1) if own not in lost]
    assert [row["id"] for row in rows] == right
    assert [row["title"] for row in rows] == [f"Title {own}" for own in right]
    assert {file.name for file in (out / "pictures").iterdir()} == {f"{n}.jpg" for n in right}
    for row in rows:
        assert (out / row["picture"]).read_bytes() == picture(row["id"])

    # Nothing twice, but for answers that failed and the one under way at each kill.
    times = Counter(server.asked())
    expected = {"/anime/5/": 2, "/anime/15/": 2, "/anime/25/": 2}
    expected |= {"/images/anime/6/10.jpg": 2, "/images/anime/6/20.jpg": 3}
    # Refused for its size before it was whole: there is nothing to store.
    times.pop("/anime/40/")
    repeated = {path: n - expected.get(path, 1) for path, n in times.items()}
    assert sum(repeated.values()) <= 3 and set(repeated.values()) <= {0, 1}

    # Never faster than asked.
    moments = [moment for moment, _ in server.log]
    gaps = [after - before for before, after in zip(moments, moments[1:], strict=False)]
    assert min(gaps) >= 1 / RATE
    assert len(moments) > 2 * COUNT

    # And a finished collection asks for nothing but what could not be stored.
    asked = len(server.log)
    collect(out, table, server.url)
    assert set(server.asked()[asked:]) <= {"/anime/40/"}
