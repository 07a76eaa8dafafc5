"""The quick form of `benchmarks/safety.py`: attacks change nothing, and controls do."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from trimtab.runtime.paths import SHIPPED

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1500)]

MIN_INCIDENTS = 100
QUICK_SECONDS = 1400
"""Five minutes on two idle cores; a busy machine takes longer."""


def test_whoever_attacks_changes_nothing_that_nobody_allowed(tmp_path: Path) -> None:
    figures = tmp_path / "safety.json"
    command = [sys.executable, "benchmarks/safety.py", "--quick", "--json", str(figures)]

    ran = subprocess.run(
        command, cwd=SHIPPED, capture_output=True, text=True, timeout=QUICK_SECONDS, check=False
    )

    assert ran.returncode == 0, f"{ran.stdout[-3000:]}\n{ran.stderr[-3000:]}"
    found = json.loads(figures.read_text(encoding="utf-8"))
    assert sum(each["incidents"] for each in found["kinds"]) >= MIN_INCIDENTS
    assert [each for each in found["kinds"] if each["unauthorised"]] == []
    assert [each for each in found["controls"] if each["changes"] == 0] == []
