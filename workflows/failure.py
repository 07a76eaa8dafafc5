"""Formats a failure as the one line that a person needs to read."""

from typing import Final

BUG_TYPES: Final = (
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    AssertionError,
)
"""Errors that fail a workflow. Otherwise its workflow task would be retried forever, unseen."""
_MAX_LENGTH: Final = 500


def format_cause(error: BaseException) -> str:
    """Return the message of the innermost cause, at most 500 characters long."""
    while error.__cause__ is not None:
        error = error.__cause__
    return f"{error}"[:_MAX_LENGTH]
