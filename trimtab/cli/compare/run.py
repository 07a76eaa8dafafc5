"""Runs `trimtab compare`: reads, compares, prints, and writes what was asked for."""

import csv
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import Final, NamedTuple

from rich.console import Console

from trimtab.charts.comparison_view import build_comparison_view
from trimtab.charts.terminal import print_view
from trimtab.cli.broken_pipe import ignore_broken_pipe
from trimtab.cli.errors import ExitCode
from trimtab.cli.progress import show_progress_when_slow
from trimtab.comparison.compare_tables import (
    DEFAULT_ALPHA,
    DEFAULT_MIN_PSI,
    CompareRequest,
    compare_tables,
    read_number,
)
from trimtab.comparison.errors import InvalidInputError, InvalidOptionError, InvalidTableError
from trimtab.comparison.result import ComparisonResult
from trimtab.comparison.table_options import TableOptions
from trimtab.contracts.comparison import Comparison
from trimtab.contracts.errors import ErrorKind, TrimtabError
from trimtab.files.atomic_file import write_atomically

_STANDARD_OUTPUT: Final = Path("-")
_LOG_WIDTH: Final = 120
"""Characters in a line of what goes to a file or a pipe."""


class CompareOptions(NamedTuple):
    """The arguments and options of the command line, as they were typed."""

    reference: str
    current: str
    timestamp: str | None = None
    ignore: str | None = None
    target: str | None = None
    min_psi: str | None = None
    alpha: str | None = None
    json: Path | None = None
    html: Path | None = None


class CommandLineError(TrimtabError):
    """An argument or option that cannot be used, called as on the command line."""

    kind = ErrorKind.INVALID_INPUT


def run_compare(options: CompareOptions) -> ExitCode:
    """Compare the tables, print and write the result, and return the exit code."""
    with _name_as_typed():
        request = _make_request(options)
        with show_progress_when_slow() as report_progress:
            result = compare_tables(request, report_progress=report_progress)
    _print_comparison(result.comparison, to_stderr=options.json == _STANDARD_OUTPUT)
    _write_result(result, options)
    if not result.enough:
        return ExitCode.NOTHING_TO_JUDGE
    return ExitCode.DRIFT if result.drifted else ExitCode.OK


def _make_request(options: CompareOptions) -> CompareRequest:
    if options.json == _STANDARD_OUTPUT and sys.stdout is None:
        fault = "standard output is closed: name a file"
        raise InvalidOptionError(fault, subject="json", value="'-'")
    outputs = (("json", options.json), ("html", options.html))
    return CompareRequest(
        options.reference,
        options.current,
        options=TableOptions(options.timestamp, options.target, _split_names(options.ignore or "")),
        min_psi=_read_limit("min_psi", options.min_psi, DEFAULT_MIN_PSI),
        alpha=_read_limit("alpha", options.alpha, DEFAULT_ALPHA),
        outputs=tuple((name, path) for name, path in outputs if path and path != _STANDARD_OUTPUT),
    )


def _read_limit(option: str, typed: str | None, default: float) -> float:
    return default if typed is None else read_number(option, typed, default)


def _split_names(text: str) -> tuple[str, ...]:
    """Return the names in a line of CSV: a quoted name may hold a comma."""
    fields = next(csv.reader([text], skipinitialspace=True), [])
    return tuple(name.strip() for name in fields if name.strip())


@contextmanager
def _name_as_typed() -> Iterator[None]:
    """Call an argument or option in errors as it is called on the command line."""
    try:
        yield
    except InvalidTableError as error:
        msg = f"{error.subject.upper()} {error.value}: {error.fault}"
        raise CommandLineError(msg) from None
    except InvalidInputError as error:
        msg = f"--{error.subject.replace('_', '-')} {error.value}: {error.fault}"
        raise CommandLineError(msg) from None


def _print_comparison(comparison: Comparison, *, to_stderr: bool) -> None:
    stream = sys.stderr if to_stderr else sys.stdout
    if stream is None:  # closed: the exit code still tells the verdict
        return
    if isinstance(stream, TextIOWrapper):
        stream.reconfigure(errors="replace")
    width = None if stream.isatty() or "COLUMNS" in os.environ else _LOG_WIDTH
    with ignore_broken_pipe():
        print_view(build_comparison_view(comparison), Console(file=stream, width=width))


def _write_result(result: ComparisonResult, options: CompareOptions) -> None:
    if options.json == _STANDARD_OUTPUT:
        with ignore_broken_pipe():
            sys.stdout.write(result.to_json() + "\n")
            sys.stdout.flush()
    elif options.json is not None:
        write_atomically(options.json, result.to_json() + "\n")
    if options.html is not None:
        result.to_html(options.html)
