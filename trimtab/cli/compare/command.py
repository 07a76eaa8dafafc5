"""`trimtab compare`: two tables side by side, without configuration, server or model."""

import os
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from trimtab.cli.broken_pipe import ignore_broken_pipe
from trimtab.cli.errors import ExitCode

if TYPE_CHECKING:  # half a second to import, and `trimtab --help` needs none of it
    from trimtab.comparison.comparison import Answer, Question
    from trimtab.contracts.comparison import Comparison

_DASH: Final = Path("-")
_LOG_WIDTH: Final = 120
"""Columns of what goes to a file or a pipe."""

Reference = Annotated[
    str,
    typer.Argument(
        metavar="REFERENCE",
        help="A table as it should be. Parquet, CSV or gzipped CSV: a file, a folder of them, or a "
        "quoted pattern such as 'day=*/*.parquet'; or a table of any database that Ibis knows: "
        "postgres://user@host/database?table=schema.name, duckdb://file.db?table=name, …",
        show_default=False,
    ),
]
Current = Annotated[
    str,
    typer.Argument(metavar="CURRENT", help="The table that may have drifted.", show_default=False),
]


def compare(
    reference: Reference,
    current: Current,
    timestamp: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Column with the time of each row: not compared, but too few rows for their time, "
            "rows without one and a table with nothing newer than the reference are noticed.",
        ),
    ] = None,
    ignore: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN,…",
            help="Columns that are not compared, parted by commas; quote a name that holds one.",
        ),
    ] = None,
    target: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Column with what a model predicts.")
    ] = None,
    json: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", dir_okay=False, allow_dash=True,
            help="Write all of it as JSON, in the form of docs/compare.schema.json; - for standard "
            "output, and what is for people goes to standard error.",
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", dir_okay=False, help="Write a page with both distributions of columns."
        ),
    ] = None,
) -> int:  # fmt: skip
    """Say whether a table has drifted from another one, which columns, how far, and why.

    Needs no configuration, no server and no model, and changes nothing. A column has drifted where
    both its effect size (PSI) and a test, adjusted for the number of columns, say so.

    Exit code 0: no drift; 1: drift or grave faults of the data; 2: bad input; 3: not enough data.
    """
    from trimtab.comparison.comparison import Question
    from trimtab.comparison.table_sources import BadInput

    ignored = _names(ignore or "")
    given = (("--json", json), ("--html", html))
    if json == _DASH and sys.stdout is None:
        msg = "--json '-': standard output is closed: name a file"
        raise BadInput(msg)
    outputs = tuple((option, path) for option, path in given if path and path != _DASH)
    answer = _answer(Question(reference, current, timestamp, ignored, target, outputs))
    _show(answer.comparison, to_stderr=json == _DASH)
    _write(answer, json=json, html=html)
    return _code(answer.comparison)


def _names(listed: str) -> tuple[str, ...]:
    """Parted as a line of CSV is, for a name may hold a comma."""
    from csv import reader

    fields = next(reader([listed], skipinitialspace=True), [])
    return tuple(name.strip() for name in fields if name.strip())


def _answer(question: "Question") -> "Answer":
    from trimtab.cli.progress import show_progress_when_slow
    from trimtab.comparison.comparison import compare_tables

    with show_progress_when_slow() as say:
        return compare_tables(question, say=say)


def _write(answer: "Answer", *, json: Path | None, html: Path | None) -> None:
    if json == _DASH:
        with ignore_broken_pipe():
            sys.stdout.write(answer.comparison.model_dump_json(indent=2) + "\n")
            sys.stdout.flush()
    elif json is not None:
        _write_json(answer.comparison, json)
    if html is not None:
        from trimtab.charts.comparison_view import build_comparison_view
        from trimtab.charts.page import write_page

        write_page(build_comparison_view(answer.comparison), html, profiles=answer.profiles)


def _write_json(comparison: "Comparison", path: Path) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.write_text(comparison.model_dump_json(indent=2) + "\n", encoding="utf-8")
    unfinished.replace(path)


def _show(comparison: "Comparison", *, to_stderr: bool) -> None:
    from rich.console import Console

    from trimtab.charts.comparison_view import build_comparison_view
    from trimtab.charts.terminal import print_view

    stream = sys.stderr if to_stderr else sys.stdout
    if stream is None:  # closed: what counts is the exit code
        return
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors="replace")
    width = None if stream.isatty() or "COLUMNS" in os.environ else _LOG_WIDTH
    with ignore_broken_pipe():
        print_view(build_comparison_view(comparison), Console(file=stream, width=width))


def _code(comparison: "Comparison") -> ExitCode:
    if not comparison.enough:
        return ExitCode.NOTHING_TO_JUDGE
    return ExitCode.DRIFT if comparison.drifted else ExitCode.OK
