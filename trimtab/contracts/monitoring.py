"""Monitoring as it runs by itself: what a run is asked, what it answers, what was announced."""

from datetime import datetime, timedelta
from typing import Final

from pydantic import AwareDatetime, Field, field_validator

from trimtab.contracts.base import Name, NonNegativeDuration, Record, compute_digest
from trimtab.contracts.drift import Severity
from trimtab.contracts.model import ModelSpec

LOOKED: Final = "a person has looked, without publishing"
"""Why what would have been announced was not."""


class Announcement(Record):
    """A drift that was announced, or is about to be: what makes it the same as another."""

    event_id: Name
    """Of the event that announces it."""
    subject: str = Field(max_length=64)
    """Whose drift against what: a digest of model, champion and reference period."""
    moves: tuple[str, ...]
    """What is out of order and in which direction, such as "Capacity up" or "performance";
    sorted."""
    severity: Severity
    as_of: AwareDatetime
    """When the window was judged, in the data's own time: its end, or that and the label delay."""

    @property
    def fingerprint(self) -> str:
        """The same for the same drift, whenever it is found and however grave it is."""
        return compute_digest([self.subject, *self.moves])[:16]


class MonitoringInput(Record):
    """What a schedule starts `MonitoringWorkflow` with."""

    spec: ModelSpec
    """The model's configuration when the schedule was made or last updated."""
    every: NonNegativeDuration
    """How often the schedule runs."""
    anchor: AwareDatetime
    """An instant at which a window ends: all windows end whole multiples of `every` from it."""
    lag: NonNegativeDuration = timedelta(0)
    """How long after a window's end its rows are all there."""

    @field_validator("every")
    @classmethod
    def _passes(cls, every: timedelta) -> timedelta:
        if every <= timedelta(0):
            msg = f"every = {every}: a schedule needs a positive interval"
            raise ValueError(msg)
        return every

    def window_end(self, at: datetime) -> datetime:
        """The end of the newest window whose rows are all there at that instant."""
        return self.anchor + (at - self.lag - self.anchor) // self.every * self.every


class WindowOrder(Record):
    """Which window is looked at, and when."""

    model: Name
    start: AwareDatetime
    end: AwareDatetime
    as_of: AwareDatetime
    """Labels of rows younger than the label delay then are not known."""

    def __str__(self) -> str:
        again = "" if self.as_of == self.end else ", now with its labels"
        return f"{self.start:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M}{again}"


class WindowAnswer(Record):
    """What one window showed."""

    start: AwareDatetime
    end: AwareDatetime
    rows: int = Field(ge=0)
    note: str = ""
    """What was found, in a sentence."""
    event_id: Name | None = None
    """Of the event that was published; None where there was none."""
    announced: bool = False
    """Whether an event was published; what is not announced is recorded in MLflow."""
    why: str = ""
    """Why it was announced, or only recorded."""
    severity: Severity | None = None
    """Of what was found, announced or not; None where nothing was."""


class MonitoringReport(Record):
    """Result of `MonitoringWorkflow`."""

    model: Name
    windows: tuple[WindowAnswer, ...]
    """The newest window; and where labels come late, the newest one that has them all."""
