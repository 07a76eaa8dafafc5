"""Turns Pydantic's validation errors into lines for people: the field, its value, what is wrong."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

if TYPE_CHECKING:  # Pydantic brings it, and the library depends on Pydantic alone
    from pydantic_core import ErrorDetails

from trimtab.contracts.redaction import redact_passwords

_UNKNOWN_FIELD: Final = "extra_forbidden"
"""Pydantic's type of the error about a field that there is not."""
_OWN_ERROR: Final = "Value error, "
"""What Pydantic writes before the message of one of our validators."""


def format_validation_errors(
    error: ValidationError,
    *,
    whole: str = "(whole)",
    max_value_length: int = 120,
    suggest_remedy: "Callable[[ErrorDetails], str]" = lambda _: "",
) -> list[str]:
    """Return one line per error, such as `window.rows = -1: Input should be …`.

    Args:
        error: What a Pydantic model raised.
        whole: Stands for the field's path where the error is about the whole input.
        max_value_length: Characters of the value's `repr` that are shown; 0 shows no value. The
            value of a missing field is never shown: Pydantic gives that of its parent.
        suggest_remedy: Returns what to do about an error, or "" where that is not known.
    """
    details = error.errors(
        include_url=False, include_context=False, include_input=max_value_length > 0
    )
    return [_format(each, whole, max_value_length, suggest_remedy(each)) for each in details]


def _format(error: "ErrorDetails", whole: str, max_value_length: int, remedy: str) -> str:
    path = ".".join(map(str, error["loc"])) or whole
    has_value = max_value_length > 0 and error["type"] != "missing"
    # Before it is cut: what is left of an address may not look like one.
    value = f" = {redact_passwords(repr(error['input'])):.{max_value_length}}" if has_value else ""
    message = error["msg"].removeprefix(_OWN_ERROR)
    said = "there is no such field" if error["type"] == _UNKNOWN_FIELD else message
    return f"{path}{value}: {said}{remedy and ': '}{remedy}"
