"""Puts a failure into the one line that a person needs to read."""

_LONGEST = 500


def reason(error: BaseException) -> str:
    """What the innermost cause says, at most 500 characters."""
    while error.__cause__ is not None:
        error = error.__cause__
    return f"{error}"[:_LONGEST]
