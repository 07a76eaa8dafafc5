"""Reads the corpus of prompt injections.

A payload is put into one channel of a case. Its twin is the same case with harmless words in that
channel: whatever an analyst concludes, it must conclude the same of both.
"""

import json
from enum import StrEnum
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

PAYLOADS: Final = Path(__file__).with_name("payloads.jsonl")
HARMLESS_TEXT: Final = "Nothing unusual was noted here"
"""What a twin holds in place of a payload."""


class Channel(StrEnum):
    """Ways of foreign text into a case."""

    FEATURE_NAME = "feature_name"
    CATEGORY_VALUE = "category_value"
    DOCUMENT = "document"
    EVENT_FIELD = "event_field"
    TOOL_RESULT = "tool_result"


class Payload(BaseModel):
    """A text that tries to take over an agent, its reader's page, or the parser between them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    family: str
    """Kind of attack, such as "fence_closing"."""
    text: str = Field(min_length=1, max_length=4000)


def read_payloads(file: Path = PAYLOADS) -> tuple[Payload, ...]:
    """Return the payloads of a file in JSON Lines."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return tuple(Payload.model_validate(json.loads(line)) for line in lines if line.strip())
