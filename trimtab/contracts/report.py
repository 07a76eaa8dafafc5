"""The report of a backtest: what `--report FILE` writes."""

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
    """A column that drifted and how far."""

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
    """None where the window raised no event."""
    drifted: tuple[DriftedFeature, ...] = ()
    """Columns that drifted, announced or only recorded; the costliest first."""
    note: Text = ""
    """What was found, in a sentence."""


class MetricChange(Record):
    """What the action did to the metric, on rows nothing was fitted on."""

    name: Name
    before: float | None
    after: float | None
    rows: int
    """Rows verified on; 0 means not verified."""


class AuditSummary(Record):
    """State of one incident's audit chain."""

    incident: Name
    valid: bool
    entries: int
    tip: str


class IncidentSummary(Record):
    """One incident, as a line of the table."""

    event_id: Name
    correlation_id: Name
    window: WindowReport
    drifted: tuple[DriftedFeature, ...]
    performance: PerformanceChange | None = None
    """What the champion lost in the window, where labels tell."""
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
    """Which one answered; None where none did."""
    failure: Text = ""
    """Why the configured analyst failed, where it did."""
    history_events: int
    """Of the incident's workflow and its children together."""
    history_bytes: int


class BaselinePoint(Record):
    """One window's metric without and with Trimtab."""

    start: AwareDatetime
    end: AwareDatetime
    metric: Name
    untouched: float | None
    """The first champion's, never replaced."""
    served: float | None
    """The model's that was champion when the window began."""
    served_version: str | None
    rows: int


class RunReport(Record):
    """Everything one backtest found."""

    model: Name
    seed: int
    analyst: str
    """Which one was asked; each incident tells which answered."""
    started_at: AwareDatetime
    finished_at: AwareDatetime
    windows: tuple[WindowReport, ...]
    incidents: tuple[IncidentSummary, ...]
    baseline: tuple[BaselinePoint, ...]
    audit: tuple[AuditSummary, ...]
    audit_valid: bool
    versions: dict[str, str]
    """Of Python, Trimtab and the packages and servers that ran."""
    notes: tuple[Text, ...] = ()
    """What did not go as one would wish, said plainly."""


def build_report_schema() -> dict[str, Any]:
    """The JSON Schema of the report, as committed under docs/."""
    return RunReport.model_json_schema()
