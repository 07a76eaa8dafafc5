"""The report: its committed schema, and how it looks."""

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from cli.report import print_report, write_report
from contracts.report import RunReport, report_schema
from runtime.paths import SHIPPED
from tests.builders import NOW


def an_empty_report() -> RunReport:
    return RunReport(
        model="parking", seed=0, analyst="analyst/rules", started_at=NOW, finished_at=NOW,
        windows=(), incidents=(), baseline=(), audit=(), audit_valid=True, versions={},
        notes=("No window raised an event: there was nothing to respond to.",),
    )  # fmt: skip


def test_the_committed_schema_is_the_models() -> None:
    committed = json.loads((SHIPPED / "docs" / "report.schema.json").read_text())

    assert committed == report_schema()


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
