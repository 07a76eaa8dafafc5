"""How the command line prints: as wide as the terminal, and paths and commands in one piece."""

import os
import shlex
import sys
from textwrap import wrap
from typing import Final

from rich.console import Console
from rich.text import Text

from trimtab.contracts.base import clean_text, is_visible
from trimtab.contracts.redaction import redact_passwords
from trimtab.runtime.paths import format_command

PIPE_WIDTH: Final = 120
"""Columns of what goes to a file or a pipe, unless COLUMNS says otherwise."""


def open_console() -> Console:
    """Return a console on standard output, as wide as its terminal."""
    is_known = "COLUMNS" in os.environ or (sys.stdout is not None and sys.stdout.isatty())
    return Console(width=None if is_known else PIPE_WIDTH)


def print_unbroken(console: Console, text: str, *, style: str = "") -> None:
    """Print text that the terminal may wrap but that is copied in one piece.

    No password of an address is printed. Of control and other invisible characters only line ends
    are kept.
    """
    text = "\n".join(_remove_invisible(line) for line in redact_passwords(text).split("\n"))
    console.print(Text(text, style=style), soft_wrap=True)


def print_quotation(console: Console, text: str, *, width: int, indent: str = "") -> None:
    """Print words that others may have written, cleaned, each line behind a margin."""
    margin = f"{indent}| "
    lines = wrap(
        clean_text(text), max(width, 20), initial_indent=margin, subsequent_indent=f"{margin}  ",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    for line in lines:
        print_unbroken(console, line)


def print_command(console: Console, *arguments: str, **variables: str) -> None:
    """Print a command of Trimtab, with environment variables, on a line of its own."""
    settings = "".join(f"{name}={shlex.quote(value)} " for name, value in variables.items())
    print_unbroken(console, f"  {settings}{format_command(*arguments)}", style="bold")


def _remove_invisible(line: str) -> str:
    return "".join(each if is_visible(each) else " " for each in line)


def print_wrapped(console: Console, text: str, *, indent: str = "", style: str = "") -> None:
    """Print text wrapped between words, so that no path and no long word is ever broken.

    Further lines are indented two columns deeper than the first.
    """
    lines = wrap(
        text, max(console.width, 20), initial_indent=indent, subsequent_indent=f"{indent}  ",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
    for line in lines:
        print_unbroken(console, line, style=style)
