"""Requests to the pipelines: their parameters, validated before any data is read."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from kedro.pipeline import Node
from pydantic import AwareDatetime, ConfigDict, Field, JsonValue, ValidationError, model_validator

from trimtab.contracts.base import Digest, Name, Record
from trimtab.contracts.model import Slice
from trimtab.contracts.ports import Refused
from trimtab.contracts.validation_errors import format_validation_errors
from trimtab.pipelines.history.time_ranges import TimeRange


class Request(Record):
    """The parameters that every pipeline takes."""

    model_config = ConfigDict(extra="forbid")

    model: Name


class TrainingRequest(Request):
    """A request to train the first champion."""

    seed: int = Field(default=0, ge=0)


class WindowRequest(Request):
    """A request about one window."""

    start: AwareDatetime
    end: AwareDatetime

    @model_validator(mode="after")
    def _ends_after_it_starts(self) -> "WindowRequest":
        if self.end <= self.start:
            msg = f"end {self.end} is not after start {self.start}"
            raise ValueError(msg)
        return self

    @property
    def time_range(self) -> TimeRange:
        """The window."""
        return TimeRange(self.start, self.end)


class MonitoringRequest(WindowRequest):
    """A request to judge one window."""

    as_of: AwareDatetime | None = None
    """Data time of the judgement: labels of rows younger than the label delay are not known then.
    None for the window's end."""
    publish: bool = True
    """Whether an event may be published."""
    detailed: bool = False
    """Whether the report holds every column and both profiles."""

    @property
    def judged_at(self) -> datetime:
        """Data time of the judgement."""
        return self.as_of or self.end

    @property
    def is_rerun(self) -> bool:
        """Whether the window is judged a second time, with labels that arrived later."""
        return self.judged_at > self.end


class RetrainingRequest(Request):
    """A request to train a challenger for an incident."""

    as_of: AwareDatetime
    """Data time of the request: no later row is read."""
    key: Digest
    event_id: Name
    correlation_id: Name
    plan_hash: Digest
    corrupt_too: bool = False
    """Whether a person decided to learn from the incident's own window even if it is corrupt."""
    seed: int = Field(default=0, ge=0)


class EvaluationRequest(Request):
    """A request to measure versions on labelled rows."""

    versions: tuple[str, ...]
    as_of: AwareDatetime
    slice: Slice
    baseline: str | None = None
    """The version that each of the others is compared with, row by row; None for no comparison."""
    cross_fit: bool = False
    """Whether to compare on more rows of the newest windows, if those of the slice cannot tell."""
    corrupt_too: bool = False
    """Whether the challenger has learnt from the newest window even if it is corrupt."""
    seed: int = Field(default=0, ge=0)


class PreviewRequest(Request):
    """A request to train a challenger in memory and to compare it with the champion."""

    as_of: AwareDatetime
    """Data time of the request: no later row is read."""
    corrupt_too: bool = False
    """Whether to learn from the newest window even if it is corrupt."""
    seed: int = Field(default=0, ge=0)


class DistributionRequest(WindowRequest):
    """A request for the distribution of one column in one window."""

    feature: Name


class SegmentRequest(WindowRequest):
    """A request to measure the champion on the rows of one category."""

    feature: Name
    segment: str = Field(max_length=200)


REQUEST_TYPES: Final[Mapping[str, type[Request]]] = {
    "timeline": Request,
    "training": TrainingRequest,
    "monitoring": MonitoringRequest,
    "retraining": RetrainingRequest,
    "evaluation": EvaluationRequest,
    "preview": PreviewRequest,
    "distribution": DistributionRequest,
    "segment": SegmentRequest,
}
"""Type of the request of each pipeline."""


def build_request_node(name: str) -> Node:
    """Return the first node of the pipeline of that name, which validates its parameters."""

    def read(parameters: dict[str, JsonValue]) -> Request:
        return read_request(name, parameters)

    return Node(read, "parameters", "request", name=f"read_{name}_request")


def read_request(pipeline: str, params: Mapping[str, JsonValue]) -> Request:
    """Return the validated request; raises `Refused` with every fault."""
    if pipeline not in REQUEST_TYPES:
        msg = f"there is no pipeline {pipeline!r}: there are {', '.join(REQUEST_TYPES)}"
        raise Refused(msg)
    try:
        return REQUEST_TYPES[pipeline].model_validate(dict(params))
    except ValidationError as error:
        faults = format_validation_errors(error, max_value_length=100)
        msg = f"pipeline {pipeline!r} has wrong parameters: {'; '.join(faults)}"
        raise Refused(msg) from error
