"""The two kinds of data that cross a wall, and the types that their fields share."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final

import rfc8785
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

NAME_PATTERN = r"^[\w.:/ -]{1,128}$"
"""Pattern of the names of models, features, events and datasets."""

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
Text = Annotated[str, StringConstraints(max_length=4000)]
Count = Annotated[int, Field(ge=0, le=2**53 - 1)]
"""A number of things, within the range of canonical JSON (RFC 8785)."""
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
NonNegativeDuration = Annotated[timedelta, Field(ge=timedelta(0))]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
"""A SHA-256 digest in hexadecimal."""
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


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
