"""Report of a backtest, as `--report FILE` writes it."""

from decimal import Decimal
from typing import Any

from pydantic import AwareDatetime

from trimtab.contracts.base import Fraction, Name, Record, Text
from trimtab.contracts.decision import Verdict
from trimtab.contracts.deliberation import Cause
from trimtab.contracts.drift import PerformanceChange
from trimtab.contracts.incident import Ending
from trimtab.contracts.remediation import Action


class DriftedFeature(Record):
    """A column that drifted, with its effect size."""

    name: Name
    effect: str
    """Name of the effect size, such as "psi"."""
    size: float


class WindowReport(Record):
    """One replayed window."""

    start: AwareDatetime
    end: AwareDatetime
    rows: int
    event_id: str | None
    """None if the window raised no event."""
    drifted: tuple[DriftedFeature, ...] = ()
    """Columns that drifted, announced or only recorded; the most harmful first."""
    note: Text = ""
    """The result in one sentence."""


class MetricChange(Record):
    """Effect of the action on the metric, on rows that no version was trained on."""

    name: Name
    before: float | None
    after: float | None
    rows: int
    """Number of rows verified on; 0 means not verified."""


class AuditSummary(Record):
    """Result of verifying one incident's audit chain."""

    incident: Name
    valid: bool
    entries: int
    tip: str


class IncidentSummary(Record):
    """One incident: a line of the table."""

    event_id: Name
    correlation_id: Name
    window: WindowReport
    drifted: tuple[DriftedFeature, ...]
    performance: PerformanceChange | None = None
    """Change of the champion's metric in the window; None without labels."""
    cause: Cause | None
    confidence: Fraction | None
    verdict: Verdict | None
    rule: str | None
    action: Action | None
    cost: Decimal | None = None
    ending: Ending
    metric: MetricChange | None
    seconds_to_verdict: float | None
    seconds_total: float
    analyst: str | None = None
    """Name of the analyst that answered; None if none did."""
    failure: Text = ""
    """Why the configured analyst failed; empty if it did not."""
    history_events: int
    """Number of events in the histories of the incident's workflow and its children."""
    history_bytes: int


class BaselinePoint(Record):
    """Metric of one window, without and with Trimtab."""

    start: AwareDatetime
    end: AwareDatetime
    metric: Name
    untouched: float | None
    """Metric of the first champion, as if it had never been replaced."""
    served: float | None
    """Metric of the version that was champion when the window began."""
    served_version: str | None
    rows: int


class RunReport(Record):
    """Results of one backtest."""

    model: Name
    seed: int
    analyst: str
    """Name of the analyst that was asked; each incident says which one answered."""
    started_at: AwareDatetime
    finished_at: AwareDatetime
    windows: tuple[WindowReport, ...]
    incidents: tuple[IncidentSummary, ...]
    baseline: tuple[BaselinePoint, ...]
    audit: tuple[AuditSummary, ...]
    audit_valid: bool
    versions: dict[str, str]
    """Versions of Python, Trimtab, and the packages and servers that ran."""
    notes: tuple[Text, ...] = ()
    """Problems of the run, in plain words."""


def build_report_schema() -> dict[str, Any]:
    """Return the JSON Schema of the report, as committed under docs/."""
    return RunReport.model_json_schema()
