#!/usr/bin/env python
"""Asks for known holes in what tfanime depends on.

    pip install pip-audit
    python scripts/bench/audit.py

Three questions: pip-audit about the packages that are installed here; pip-audit about the lowest
versions that setup.py allows; npm about the packages of the site. Each says what it found, or that
it could not be asked: without the program, or without a network, nothing is known, which is not
the same as nothing found.

Exit code 0: all were answered, and nothing is known; 1: there are holes; 2: no hole is known, but
some question was not answered.
"""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 600


class Unanswered(Exception):
    """A question that was not answered, and why."""


def floors() -> list[str]:
    """`name==version` for the lowest versions that setup.py allows on this Python."""
    from packaging.requirements import Requirement

    with mock.patch("setuptools.setup"):
        said = runpy.run_path(str(ROOT / "setup.py"))
    found = {}
    for text in [*said["INSTALL"], *(one for extra in said["EXTRAS"].values() for one in extra)]:
        one = Requirement(text)
        lowest = [s.version for s in one.specifier if s.operator in (">=", "==")]
        if lowest and (one.marker is None or one.marker.evaluate()):
            found[one.name] = f"{one.name}=={lowest[0]}"
    return sorted(found.values())


def pip_audit(*arguments: str) -> list[str]:
    """The holes that pip-audit knows, a line each.

    Raises:
        Unanswered: where it is not installed, or knows nothing of any package.
    """
    program = shutil.which("pip-audit")
    if program is None:
        raise Unanswered("pip-audit is not installed (pip install pip-audit)")
    answer = _json([program, "--format", "json", "--progress-spinner", "off", *arguments])
    packages = answer.get("dependencies") or []
    asked = [one for one in packages if "vulns" in one]
    if not asked:
        raise Unanswered("no advisory could be read: this machine seems to be offline")
    silent = sorted(one["name"] for one in packages if "vulns" not in one)
    if silent:
        print(f"  not known there: {', '.join(silent)}")
    return [
        f"{one['name']} {one['version']}: {hole['id']}, mended in "
        f"{', '.join(hole['fix_versions']) or 'no version'}"
        for one in asked
        for hole in one["vulns"]
    ]


def npm_audit() -> list[str]:
    """The holes that npm knows in the site's packages.

    Raises:
        Unanswered: where npm is not installed, or its registry does not answer.
    """
    program = shutil.which("npm")
    if program is None:
        raise Unanswered("npm is not installed")
    answer = _json([program, "audit", "--json"], ROOT / "web_export")
    if "vulnerabilities" not in answer:
        said = str(answer.get("message") or answer.get("error") or "it said nothing of use")
        raise Unanswered(f"the registry did not answer: {' '.join(said.split())[:200]}")
    return [
        f"{name} ({hole['severity']}), versions {hole['range']}"
        for name, hole in sorted(answer["vulnerabilities"].items())
    ]


def _json(command: list[str], folder: Path = ROOT) -> dict:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, errors="replace", timeout=SECONDS
        )
        answer = json.loads(done.stdout)
        if isinstance(answer, dict):
            return answer
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unanswered(str(error)) from error
    except ValueError:
        pass
    lines = [line for line in done.stderr.splitlines() if re.search(r"error|connect", line, re.I)]
    raise Unanswered(lines[-1][:200] if lines else "it said nothing of use")


def main() -> int:
    holes, unanswered = 0, 0
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "floors.txt"
        table.write_text("\n".join(floors()) + "\n", encoding="utf-8")
        questions = {
            "Python packages that are installed": lambda: pip_audit(
                "--path", sysconfig.get_path("purelib")
            ),
            "lowest versions that setup.py allows": lambda: pip_audit(
                "--requirement", os.fspath(table), "--no-deps", "--disable-pip"
            ),
            "npm packages of the site": npm_audit,
        }
        for title, ask in questions.items():
            print(f"{title}:")
            try:
                found = ask()
            except Unanswered as error:
                unanswered += 1
                print(f"  NOT ASKED: {error}")
                continue
            holes += len(found)
            print("\n".join(f"  {line}" for line in found) or "  no hole is known")
    return 1 if holes else 2 if unanswered else 0


if __name__ == "__main__":
    sys.exit(main())
