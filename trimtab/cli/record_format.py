"""Formats records for people: one line for each value, without what only a program reads."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

MAX_VALUE_LENGTH: Final = 300
"""Characters of one value; the log has all of them."""
_DIGEST: Final = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")
_TITLE_KEYS: Final = ("rule", "name", "action", "evidence_id")
"""The first of these that a record in a list has is its title."""
_UNLABELLED_KEYS: Final = ("quote", "reason", "verdict")
"""Values that are understood without their key."""


def format_record(record: Mapping[str, object], *, indent: str = "") -> Iterator[str]:
    """Yield the lines of a record, without empty values and with digests shortened."""
    for name, value in record.items():
        if _is_empty(value):
            continue
        if isinstance(value, Mapping):
            yield f"{indent}{name}:"
            yield from format_record(value, indent=f"{indent}  ")
        elif isinstance(value, list) and all(isinstance(each, Mapping) for each in value):
            yield f"{indent}{name}:"
            yield from (f"{indent}  • {_format_in_one_line(each)}" for each in value)
        else:
            yield f"{indent}{name}: {_format_value(value)}"


def _format_in_one_line(record: Mapping[str, object]) -> str:
    title = next((each for each in _TITLE_KEYS if each in record), None)
    rest = [
        _format_value(value) if key in _UNLABELLED_KEYS else f"{key} {_format_value(value)}"
        for key, value in record.items()
        if key != title and not _is_empty(value)
    ]
    return "; ".join(rest) if title is None else f"{record[title]}: {'; '.join(rest)}"


def _format_value(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_format_value, value))
    if isinstance(value, float):
        return f"{value:.4g}"
    text = _DIGEST.sub(r"\1…", str(value))
    return text if len(text) <= MAX_VALUE_LENGTH else f"{text[:MAX_VALUE_LENGTH]}…"


def _is_empty(value: object) -> bool:
    return value in (None, "", [], {})
