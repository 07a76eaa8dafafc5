"""Records as people read them: one line a thing, without what only a machine reads."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

LONGEST: Final = 300
"""Characters of one thing; the log has all of them."""
_DIGEST: Final = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")
_NAMES: Final = ("rule", "name", "action", "evidence_id")
"""By the first of these a record in a list is called."""
_PLAIN: Final = ("quote", "reason", "verdict")
"""What says by itself what it is."""


def told(record: Mapping[str, object], *, indent: str = "") -> Iterator[str]:
    """The lines of a record, what is empty left out and digests shortened."""
    for name, value in record.items():
        if value in (None, "", [], {}):
            continue
        if isinstance(value, Mapping):
            yield f"{indent}{name}:"
            yield from told(value, indent=f"{indent}  ")
        elif isinstance(value, list) and all(isinstance(each, Mapping) for each in value):
            yield f"{indent}{name}:"
            yield from (f"{indent}  • {_in_a_line(each)}" for each in value)
        else:
            yield f"{indent}{name}: {_short(value)}"


def _in_a_line(record: Mapping[str, object]) -> str:
    name = next((each for each in _NAMES if each in record), None)
    rest = [
        _short(value) if key in _PLAIN else f"{key} {_short(value)}"
        for key, value in record.items()
        if key != name and value not in (None, "", [], {})
    ]
    return "; ".join(rest) if name is None else f"{record[name]}: {'; '.join(rest)}"


def _short(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_short, value))
    if isinstance(value, float):
        return f"{value:.4g}"
    text = _DIGEST.sub(r"\1…", str(value))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
