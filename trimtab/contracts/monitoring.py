"""Records of scheduled monitoring: a run's input and report, announcements and suppressions."""

from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import AwareDatetime, Field, field_validator

from trimtab.contracts.base import Name, NonNegativeDuration, Record, compute_digest
from trimtab.contracts.drift import Severity
from trimtab.contracts.model import ModelSpec


class Announcement(Record):
    """A drift that was announced or is about to be, with the fields that identify it."""

    event_id: Name
    """Id of the event that announces the drift."""
    subject: str = Field(max_length=64)
    """Digest of model, champion and reference period: which model drifted against what."""
    moves: tuple[str, ...]
    """Changes with their directions, sorted, such as "Capacity up" or "performance"."""
    severity: Severity
    as_of: AwareDatetime
    """Data time at which the window was judged: its end, or the end plus the label delay."""
    faults: tuple[str, ...] = ()
    """Those of the moves that are faults of the data, and stay open while windows show them: the
    corrupting ones if there are any. Empty for a loss without one."""
    note: bool = False
    """Whether it is a note that the faults of an earlier event, `event_id`, are still there."""

    @property
    def fingerprint(self) -> str:
        """Digest that is equal for the same drift, whatever its time and severity."""
        return compute_digest([self.subject, *self.moves])[:16]


class SuppressionReason(StrEnum):
    """Why drift that was found is only recorded, and not published."""

    NO_LOSS_EXPECTED = "no_loss_expected"
    """The drift is not expected to cost the model performance."""
    ALREADY_ANNOUNCED = "already_announced"
    """Earlier events announced the same drift within the cooldown."""
    FAULT_STILL_OPEN = "fault_still_open"
    """An earlier event announced the same fault of the data, and all windows since have shown it.
    """
    PUBLISHING_OFF = "publishing_off"
    """The run was asked not to publish."""


class Suppression(Record):
    """The reason why a finding was not published, with its details."""

    reason: SuppressionReason
    event_id: Name | None = None
    """ALREADY_ANNOUNCED: id of the most severe of the earlier events. FAULT_STILL_OPEN: id of the
    first event."""
    severity: Severity | None = None
    """ALREADY_ANNOUNCED and FAULT_STILL_OPEN: severity of that event."""
    until: AwareDatetime | None = None
    """ALREADY_ANNOUNCED: data time from which the same drift is announced again."""


def format_suppression(suppression: Suppression) -> str:
    """Return the suppression as a clause without a full stop."""
    if suppression.reason is SuppressionReason.NO_LOSS_EXPECTED:
        return "no performance loss expected"
    if suppression.reason is SuppressionReason.PUBLISHING_OFF:
        return "this run was asked not to publish"
    still_open = suppression.reason is SuppressionReason.FAULT_STILL_OPEN
    text = f"the same {'data fault' if still_open else 'drift'} was announced already"
    if suppression.event_id and suppression.severity:
        text = f"{text} as {suppression.event_id} ({suppression.severity})"
    if suppression.until:
        text = (
            f"{text}; it is not announced again before {suppression.until:%Y-%m-%d %H:%M} unless"
            " its severity rises"
        )
    if still_open:
        text = f"{text} and is still there; it is announced again if it is graver or comes back"
    return text


class MonitoringInput(Record):
    """Input with which a schedule starts `MonitoringWorkflow`."""

    spec: ModelSpec
    """The model's configuration when the schedule was created or last updated."""
    every: NonNegativeDuration
    """Interval between two runs of the schedule."""
    anchor: AwareDatetime
    """End of one window: every window ends a whole multiple of `every` before or after it."""
    lag: NonNegativeDuration = timedelta(0)
    """Time from a window's end until all of its rows have arrived."""

    @field_validator("every")
    @classmethod
    def _passes(cls, every: timedelta) -> timedelta:
        if every <= timedelta(0):
            msg = f"every = {every}: a schedule needs a positive interval"
            raise ValueError(msg)
        return every

    def window_end(self, at: datetime) -> datetime:
        """Return the end of the newest window whose rows have all arrived at the time `at`."""
        return self.anchor + (at - self.lag - self.anchor) // self.every * self.every


class WindowOrder(Record):
    """A request to judge one window at one point in the data's time."""

    model: Name
    start: AwareDatetime
    end: AwareDatetime
    as_of: AwareDatetime
    """Data time of the judgement: labels of rows younger than the label delay are unknown."""

    def __str__(self) -> str:
        again = "" if self.as_of == self.end else ", now with its labels"
        return f"{self.start:%Y-%m-%d %H:%M} to {self.end:%Y-%m-%d %H:%M}{again}"


class WindowAnswer(Record):
    """The result of judging one window."""

    start: AwareDatetime
    end: AwareDatetime
    rows: int = Field(ge=0)
    note: str = ""
    """The result in one sentence."""
    event_id: Name | None = None
    """Id of the published event; None if none was published."""
    announced: bool = False
    """Whether an event was published; other findings are recorded in MLflow only."""
    why: str = ""
    """Why it was announced, or only recorded."""
    suppression: SuppressionReason | None = None
    """Why a finding was not announced; None if it was, or if nothing was found."""
    severity: Severity | None = None
    """Severity of the finding, announced or not; None if nothing was found."""


class MonitoringReport(Record):
    """Result of `MonitoringWorkflow`."""

    model: Name
    windows: tuple[WindowAnswer, ...]
    """The newest window and, if labels arrive late, the newest window with all labels."""
