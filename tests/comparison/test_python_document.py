"""docs/python.md and the README: every Python example runs as it stands, and is true."""

import doctest
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from tests.architecture.sources import ROOT
from trimtab.comparison import api

DOCUMENT = ROOT / "docs" / "python.md"
README = ROOT / "README.md"
CLAIM = re.compile(r"^(?P<code>\S.*?) +# (?P<value>True|False|\"\w+\")")
"""A line whose comment says what it gives."""


def list_blocks(document: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", document.read_text(), re.MULTILINE | re.DOTALL)


def test_every_example_runs_and_gives_what_its_comment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}

    claims = 0
    blocks = list_blocks(DOCUMENT)
    for block in blocks:
        exec(compile(block, DOCUMENT, "exec"), names)  # noqa: S102 - our own document
        for claim in filter(None, map(CLAIM.match, block.splitlines())):
            assert eval(claim["code"], names) == eval(claim["value"]), claim[0]  # noqa: S307 - as above
            claims += 1

    shown = capsys.readouterr().out
    assert len(blocks) == 9
    assert claims == 5
    assert "age drifted: PSI" in shown
    assert "timestamp='when': the reference has no such column; it has age, city" in shown
    assert (tmp_path / "drift.html").is_file()


def test_the_example_of_the_readme_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    reference = pd.DataFrame({"price": range(1000)}, dtype="float64")
    reference.to_parquet("reference.parquet")
    (reference + 500).to_parquet("current.parquet")

    for block in list_blocks(README):
        exec(compile(block, README, "exec"), {})  # noqa: S102 - our own document

    assert capsys.readouterr().out.startswith("True")


def test_the_examples_in_docstrings_are_right() -> None:
    assert doctest.testmod(api).attempted == 8
    assert doctest.testmod(api).failed == 0
