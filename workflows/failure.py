"""Puts a failure into the one line that a person needs to read."""

from typing import Final

BUGS: Final = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, AssertionError)
"""What ends an incident visibly, rather than have its workflow task retried for ever."""
_LONGEST: Final = 500


def reason(error: BaseException) -> str:
    """What the innermost cause says, at most 500 characters."""
    while error.__cause__ is not None:
        error = error.__cause__
    return f"{error}"[:_LONGEST]
