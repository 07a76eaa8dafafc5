"""The two kinds of data that cross a wall, and the types that their fields share."""

import hashlib
import unicodedata
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import rfc8785
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

NAME_PATTERN = r"^[\w.:/ -]{1,128}$"
"""Pattern of the names of models, features, events and datasets."""

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
Text = Annotated[str, StringConstraints(max_length=4000)]
MAX_FOREIGN_LENGTH: Final = 4000
"""Characters of a text from outside, unless its field says less."""
Count = Annotated[int, Field(ge=0, le=2**53 - 1)]
"""A number of things, within the range of canonical JSON (RFC 8785)."""
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
NonNegativeDuration = Annotated[timedelta, Field(ge=timedelta(0))]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 digest in hexadecimal."""
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def clean_text(text: str) -> str:
    """Return the text on one line, without control, bidirectional and other invisible characters.

    Nothing in it can move a terminal's cursor, hide words, or begin a line of its own.
    """
    visible = (each if is_visible(each) else " " for each in text)
    return " ".join("".join(visible).split())


def is_visible(character: str) -> bool:
    """Return whether a character is neither control, format, surrogate nor private."""
    return unicodedata.category(character)[0] != "C"


def quote_words(text: str) -> str:
    """Return the cleaned text in quotation marks that it cannot close by itself."""
    return f"“{clean_text(text).translate(_INNER_QUOTES)}”"


_INNER_QUOTES: Final = str.maketrans("“”", "''")


def _clean_foreign(value: object) -> object:
    return clean_text(value) if isinstance(value, str) else value


CLEANED: Final = BeforeValidator(_clean_foreign)
"""Cleans a text before its bounds are checked; the last annotation of a type."""
ForeignText = Annotated[str, StringConstraints(max_length=MAX_FOREIGN_LENGTH), CLEANED]
"""Text that somebody outside of Trimtab wrote: an event, a report, a language model, a person.

It is cleaned and bounded; whatever shows it to people quotes it, or prints it behind a margin."""
ForeignSentence = Annotated[str, StringConstraints(max_length=400), CLEANED]
"""A short text from outside, cleaned."""
ForeignName = Annotated[str, CLEANED]
"""A name from outside, cleaned; whoever receives it checks its length."""


class Record(BaseModel):
    """Data that our own code wrote. Histories keep it, and new fields may be added."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class Reply(BaseModel):
    """Data that a language model wrote. Fields that are not in the schema are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def compute_digest(value: BaseModel | dict[str, Any] | list[Any]) -> str:
    """Return SHA-256, in hexadecimal, of a record or of plain JSON in canonical form (RFC 8785)."""
    plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    return hashlib.sha256(rfc8785.dumps(plain)).hexdigest()
