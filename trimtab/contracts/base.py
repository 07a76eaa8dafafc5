"""The two kinds of data that cross a wall, and the words they are made of."""

import hashlib
from datetime import timedelta
from typing import Annotated, Any

import rfc8785
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

NAME_PATTERN = r"^[\w.:/ -]{1,128}$"
"""What a model, feature, event or dataset may be called."""

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
Text = Annotated[str, StringConstraints(max_length=4000)]
Count = Annotated[int, Field(ge=0, le=2**53 - 1)]
"""What canonical JSON (RFC 8785) can hold."""
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
NonNegativeDuration = Annotated[timedelta, Field(ge=timedelta(0))]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Record(BaseModel):
    """Data that we wrote: kept in histories, may grow."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class Reply(BaseModel):
    """Data that a language model wrote: nothing extra is believed."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def compute_digest(value: BaseModel | dict[str, Any] | list[Any]) -> str:
    """SHA-256 in hex over the canonical JSON (RFC 8785) of a record or of plain JSON."""
    plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    return hashlib.sha256(rfc8785.dumps(plain)).hexdigest()
