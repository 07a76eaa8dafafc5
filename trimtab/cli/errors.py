"""Exit codes of the command line, and the one place that turns an error into a message and a code.

It loads nothing heavy: an error says by its `kind` what it means (`trimtab.contracts.errors`).
"""

import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum
from signal import Signals
from typing import Final, NamedTuple

import typer

from trimtab.contracts.errors import ErrorKind, TrimtabError
from trimtab.contracts.redaction import redact_passwords


class ExitCode(IntEnum):
    """What a command's exit code means; the table in docs/operations.md is for its users."""

    OK = 0
    FAILED = 1
    """The work failed, or a check found a fault."""
    DRIFT = 1
    """`compare` and `monitor`: the data drifted, or has grave faults."""
    BAD_INPUT = 2
    """A file, an option or a setting must be corrected first."""
    NOTHING_TO_JUDGE = 3
    """Too few rows, an empty audit log, or a folder without a model."""
    UNAVAILABLE = 69
    """A store did not answer, so `monitor` has no result (EX_UNAVAILABLE of Unix)."""
    INTERNAL_ERROR = 70
    """A fault of Trimtab itself (EX_SOFTWARE of Unix)."""
    INTERRUPTED = 130
    """Ctrl-C; other signals give 128 and their number."""


class InterruptionError(TrimtabError):
    """A signal ended the work, and everything that was started has been stopped."""

    def __init__(self, signal_number: Signals) -> None:
        super().__init__(f"{signal_number.name}: everything that was started has been stopped")
        self.exit_code = 128 + signal_number
        """The exit code that a shell would give."""


class _Outcome(NamedTuple):
    title: str
    code: int


_OUTCOMES: Final = {
    ErrorKind.INVALID_INPUT: _Outcome("Bad input", ExitCode.BAD_INPUT),
    ErrorKind.REFUSED: _Outcome("Failed", ExitCode.FAILED),
    ErrorKind.UNAVAILABLE: _Outcome("Failed", ExitCode.FAILED),
    ErrorKind.FAILED: _Outcome("Failed", ExitCode.FAILED),
}
_OUTCOMES_BESIDE_DRIFT: Final = {
    ErrorKind.INVALID_INPUT: _Outcome("Bad input", ExitCode.BAD_INPUT),
    ErrorKind.REFUSED: _Outcome("Bad input", ExitCode.BAD_INPUT),
    ErrorKind.UNAVAILABLE: _Outcome("No result", ExitCode.UNAVAILABLE),
    ErrorKind.FAILED: _Outcome("No result", ExitCode.UNAVAILABLE),
}
"""Outcomes of the commands whose exit code 1 means drift: an error must not look like it."""


@contextmanager
def explain_errors(*, one_means_drift: bool = False) -> Iterator[None]:
    """Print an error as a message without a traceback, and exit with its code.

    Raises `typer.Exit`. Only a fault of Trimtab itself is printed with its traceback.
    """
    outcomes = _OUTCOMES_BESIDE_DRIFT if one_means_drift else _OUTCOMES
    try:
        yield
    except (typer.Exit, typer.Abort, typer.BadParameter):
        raise
    except InterruptionError as error:
        print_error("Interrupted", [str(error)])
        raise typer.Exit(error.exit_code) from None
    except TrimtabError as error:
        title, code = outcomes[error.kind]
        print_error(title, error.faults)
        raise typer.Exit(code) from None
    except KeyboardInterrupt:
        code = _print_interruption()
        raise typer.Exit(code) from None
    except OSError as error:
        title, code = outcomes[ErrorKind.INVALID_INPUT if error.filename else ErrorKind.REFUSED]
        print_error(title, [_format_os_error(error)])
        raise typer.Exit(code) from None
    except Exception as error:  # noqa: BLE001 - a fault of ours must not look like drift
        code = _print_interruption() if _is_interruption(error) else _print_own_fault(error)
        raise typer.Exit(code) from None


def print_error(title: str, faults: Sequence[str]) -> None:
    """Print an error to standard error: one fault beside the title, several in a list below it.

    No password of an address is printed.
    """
    faults = [redact_passwords(fault) for fault in faults]
    lines = [f" {faults[0]}"] if len(faults) == 1 else ["", *(f"  • {fault}" for fault in faults)]
    colour = None if "NO_COLOR" not in os.environ else False
    typer.secho(f"{title}:", fg=typer.colors.RED, bold=True, nl=False, err=True, color=colour)
    typer.echo("\n".join(map(replace_control_characters, lines)), err=True)


def replace_control_characters(text: str) -> str:
    """Return a text that cannot command the terminal; its line breaks and tabs stay."""
    return "".join(
        each if each.isprintable() or each in "\n\t" else "\N{REPLACEMENT CHARACTER}"
        for each in text
    )


def _format_os_error(error: OSError) -> str:
    if not error.filename:
        return error.strerror or str(error)
    return f"{error.filename}: {error.strerror or error}: check its path and its permissions"


def _is_interruption(error: Exception) -> bool:
    """Say whether this is how DuckDB reports Ctrl-C during a query."""
    return isinstance(error, RuntimeError) and "interrupted" in str(error).lower()


def _print_interruption() -> ExitCode:
    print_error("Interrupted", ["the command did not finish"])
    return ExitCode.INTERRUPTED


def _print_own_fault(error: Exception) -> ExitCode:
    if sys.stderr is not None:
        sys.stderr.write(redact_passwords("".join(traceback.format_exception(error))))
    print_error("A fault of Trimtab itself", ["please report the lines above"])
    return ExitCode.INTERNAL_ERROR
