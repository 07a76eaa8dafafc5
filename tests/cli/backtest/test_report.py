"""The report: its committed schema, and how it looks."""

import io
import json
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console

from tests.builders import NOW
from trimtab.cli.backtest.report import print_report, write_report
from trimtab.contracts.report import BaselinePoint, RunReport, build_report_schema
from trimtab.runtime.paths import SHIPPED


def an_empty_report() -> RunReport:
    return RunReport(
        model="parking", seed=0, analyst="analyst/rules", started_at=NOW, finished_at=NOW,
        windows=(), incidents=(), baseline=(), audit=(), audit_valid=True, versions={},
        notes=("No window raised an event: there was nothing to respond to.",),
    )  # fmt: skip


def test_the_committed_schema_is_the_models() -> None:
    committed = json.loads((SHIPPED / "docs" / "report.schema.json").read_text())

    assert committed == build_report_schema()


def test_what_is_written_can_be_read_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "report.json"

    write_report(an_empty_report(), path)

    assert RunReport.model_validate_json(path.read_text()) == an_empty_report()
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_an_empty_report_says_that_nothing_happened(width: int) -> None:
    console = Console(width=width, record=True, file=io.StringIO())

    print_report(an_empty_report(), console)

    assert "No window raised an event" in console.export_text()


def test_noise_is_not_drawn_as_large_changes() -> None:
    weeks = [NOW + timedelta(days=7 * number) for number in range(8)]
    flat = tuple(
        BaselinePoint(
            start=start, end=start + timedelta(days=7), metric="r2", rows=1000,
            untouched=0.960 + 0.0003 * (number % 2), served=0.960, served_version="1",
        )
        for number, start in enumerate(weeks)
    )  # fmt: skip
    console = Console(width=100, record=True, file=io.StringIO())

    print_report(an_empty_report().model_copy(update={"baseline": flat}), console)

    drawn = [line for line in console.export_text().splitlines() if "┤" in line]
    lines = [line for line in drawn if any("\u2800" < sign <= "\u28ff" for sign in line[20:])]
    assert len(lines) <= 3
