"""docs/python.md: every example runs as it stands, and says what is true."""

import doctest
import re
from pathlib import Path
from typing import Any

import pytest

from tests.architecture.sources import ROOT
from trimtab.comparison import api

DOCUMENT = ROOT / "docs" / "python.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
CLAIM = re.compile(r"^(?P<code>\S.*?) +# (?P<value>True|False|\"\w+\")")
"""A line whose comment says what it gives."""


def test_every_example_runs_and_gives_what_its_comment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}

    claims = 0
    for block in BLOCKS:
        exec(compile(block, DOCUMENT, "exec"), names)  # noqa: S102 - our own document
        for claim in filter(None, map(CLAIM.match, block.splitlines())):
            assert eval(claim["code"], names) == eval(claim["value"]), claim[0]  # noqa: S307 - as above
            claims += 1

    shown = capsys.readouterr().out
    assert len(BLOCKS) == 9
    assert claims == 5
    assert "age drifted: PSI" in shown
    assert "timestamp='when': the reference has no such column; it has age, city" in shown
    assert (tmp_path / "drift.html").is_file()


def test_the_examples_in_docstrings_are_right() -> None:
    assert doctest.testmod(api).attempted == 8
    assert doctest.testmod(api).failed == 0
