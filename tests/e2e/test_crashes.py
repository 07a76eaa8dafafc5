"""The whole stack under kill -9: the quick form of `benchmarks/crashes.py storm`."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from trimtab.runtime.paths import SHIPPED

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]


def run_storm(report: Path, *words: str) -> dict[str, Any]:
    subprocess.run(
        [
            sys.executable, str(SHIPPED / "benchmarks" / "crashes.py"), "storm", "--quick",
            "--report", str(report), *words,
        ],
        cwd=report.parent,
        check=False,
        timeout=1100,
    )  # fmt: skip
    figures: dict[str, Any] = json.loads(report.read_text())
    return figures


def test_forty_events_and_four_kills_lose_repeat_and_leave_nothing(tmp_path: Path) -> None:
    figures = run_storm(tmp_path / "report.json", "--seed", "3")

    assert len(figures["kills"]) == 4
    assert (figures["published"], figures["closed"], figures["dead"]) == (41, 41, 0)
    assert {name: figures[name] for name in ("lost", "twice", "stuck", "faults")} == {
        "lost": [],
        "twice": [],
        "stuck": [],
        "faults": [],
    }
