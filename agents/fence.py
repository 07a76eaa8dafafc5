"""Keeps untrusted text inside the bounds of data: nothing in it can look like our own words.

The data is JSON between two tag lines. Whatever in it resembles a tag is written with JSON
escapes, so that a reader of the JSON gets the very same text back but no reader of the prompt
finds a second fence. There is nothing random in it: a workflow that replays builds the same text.
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
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
"""Unicode categories that show nothing or turn the line around."""
_LAST_OF_FIRST_PLANE = 0xFFFF


def fence(value: JsonValue) -> str:
    """The value as one line of JSON between the tags."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return f"{OPENING}\n{_harmless(text)}\n{CLOSING}"


def unfence(text: str) -> JsonValue:
    """The value inside the first fence; raises ValueError where there is none."""
    start, end = text.find(OPENING), text.find(CLOSING)
    if start < 0 or end < start:
        msg = f"the request holds no data between {OPENING} and {CLOSING}"
        raise ValueError(msg)
    value: JsonValue = json.loads(text[start + len(OPENING) : end])
    return value


def _harmless(text: str) -> str:
    visible = "".join(
        _escaped(character) if unicodedata.category(character) in _UNSEEN else character
        for character in text
    )
    return _LOOK_ALIKE.sub(lambda match: _escaped(match.group()), visible)


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code <= _LAST_OF_FIRST_PLANE else json.dumps(character)[1:-1]
