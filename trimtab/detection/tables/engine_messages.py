"""Shortens what a database engine says about an error, for a message of ours."""

from typing import Final

_MAX_LENGTH: Final = 300
"""Characters that are shown."""
_STACK_TRACE: Final = "Stack Trace"
"""How DuckDB begins a list of addresses in its own code."""


def format_engine_message(error: BaseException) -> str:
    """Return an engine's error in one line, without a stack trace."""
    return _shorten(str(error), error)


def format_first_line(error: BaseException) -> str:
    """Return the first line of DuckDB's error: the others repeat the query."""
    return _shorten(str(error).strip().partition("\n")[0], error)


def _shorten(text: str, error: BaseException) -> str:
    said, _, _ = text.partition(_STACK_TRACE)
    return " ".join(said.split())[:_MAX_LENGTH] or type(error).__name__
