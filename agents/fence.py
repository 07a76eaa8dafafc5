"""Keeps untrusted text marked as data: nothing in it can be taken for our own words.

The data is JSON between two tag lines. Anything in it that resembles a tag is written with JSON
escapes: a reader of the JSON gets exactly the same text back, but no reader of the prompt finds a
second fence. Nothing about it is random, so that a workflow that replays builds the same text.
"""

import json
import re
import unicodedata
from typing import Final

from pydantic import JsonValue

OPENING: Final = "<data>"
CLOSING: Final = "</data>"

_LOOK_ALIKE = re.compile(
    r"[<\uff1c\u2039\u3008\u27e8\ufe64](?=[\s/\u2044\u2215]*data)", re.IGNORECASE
)
_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
"""Unicode categories of characters that are invisible or reverse the line's direction."""
_MAX_SHORT_ESCAPE = 0xFFFF
"""Largest code point that one JSON escape can hold."""


def fence(value: JsonValue) -> str:
    """Return the value as one line of JSON between the tags."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return f"{OPENING}\n{_escape_look_alikes(text)}\n{CLOSING}"


def unfence(text: str) -> JsonValue:
    """Return the value inside the first fence; raise ValueError if there is none."""
    start, end = text.find(OPENING), text.find(CLOSING)
    if start < 0 or end < start:
        msg = f"the request holds no data between {OPENING} and {CLOSING}"
        raise ValueError(msg)
    value: JsonValue = json.loads(text[start + len(OPENING) : end])
    return value


def _escape_look_alikes(text: str) -> str:
    visible = "".join(
        _escape(character) if unicodedata.category(character) in _INVISIBLE else character
        for character in text
    )
    return _LOOK_ALIKE.sub(lambda match: _escape(match.group()), visible)


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code <= _MAX_SHORT_ESCAPE else json.dumps(character)[1:-1]
