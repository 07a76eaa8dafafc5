"""What each pipeline may be asked: its parameters, validated before anything is read."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from kedro.pipeline import Node
from pydantic import AwareDatetime, ConfigDict, Field, JsonValue, ValidationError, model_validator

from trimtab.contracts.base import Digest, Name, Record
from trimtab.contracts.model import Slice
from trimtab.contracts.ports import Refused
from trimtab.contracts.validation_errors import format_validation_errors
from trimtab.pipelines.history.time_ranges import Span


class Request(Record):
    """What every pipeline is asked about."""

    model_config = ConfigDict(extra="forbid")

    model: Name


class TrainingRequest(Request):
    """Train the first champion."""

    seed: int = Field(default=0, ge=0)


class WindowRequest(Request):
    """Look at one window."""

    start: AwareDatetime
    end: AwareDatetime

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> "WindowRequest":
        if self.end <= self.start:
            msg = f"end {self.end} is not after start {self.start}"
            raise ValueError(msg)
        return self

    @property
    def span(self) -> Span:
        """The window."""
        return Span(self.start, self.end)


class MonitoringRequest(WindowRequest):
    """Judge one window."""

    as_of: AwareDatetime | None = None
    """When, in the data's own time: labels of rows younger than the label delay then are not known;
    None for the window's end."""
    publish: bool = True
    """Whether an event is published; a person who looks needs none."""
    detailed: bool = False
    """Whether the report holds every column and both profiles, for a person who looks."""

    @property
    def judged_at(self) -> datetime:
        """When the window is judged."""
        return self.as_of or self.end

    @property
    def again(self) -> bool:
        """Whether this is the second look, at labels that came later."""
        return self.judged_at > self.end


class RetrainingRequest(Request):
    """Train a challenger for an incident."""

    as_of: AwareDatetime
    """Nothing later is looked at."""
    key: Digest
    event_id: Name
    correlation_id: Name
    plan_hash: Digest
    corrupt_too: bool = False
    """Whether a person decided to learn from the incident's own window whatever its data."""
    seed: int = Field(default=0, ge=0)


class EvaluationRequest(Request):
    """Measure versions on labelled rows."""

    versions: tuple[str, ...]
    as_of: AwareDatetime
    slice: Slice


class DistributionRequest(WindowRequest):
    """Look at one column of one window."""

    feature: Name


class SegmentRequest(WindowRequest):
    """Look at the rows of one category."""

    feature: Name
    segment: str = Field(max_length=200)


REQUESTS: Final[Mapping[str, type[Request]]] = {
    "timeline": Request,
    "training": TrainingRequest,
    "monitoring": MonitoringRequest,
    "retraining": RetrainingRequest,
    "evaluation": EvaluationRequest,
    "distribution": DistributionRequest,
    "segment": SegmentRequest,
}
"""Every pipeline with what it may be asked."""


def request_node(name: str) -> Node:
    """The first node of the pipeline of that name."""

    def read(parameters: dict[str, JsonValue]) -> Request:
        return read_request(name, parameters)

    return Node(read, "parameters", "request", name=f"read_{name}_request")


def read_request(pipeline: str, params: Mapping[str, JsonValue]) -> Request:
    """The validated request; raises `Refused` with every fault."""
    if pipeline not in REQUESTS:
        msg = f"there is no pipeline {pipeline!r}: there are {', '.join(REQUESTS)}"
        raise Refused(msg)
    try:
        return REQUESTS[pipeline].model_validate(dict(params))
    except ValidationError as error:
        faults = format_validation_errors(error, max_value_length=100)
        msg = f"pipeline {pipeline!r} was asked wrongly: {'; '.join(faults)}"
        raise Refused(msg) from error
