"""What is kept of a played incident: enough to score it, and to fit a calibration later."""

from pydantic import Field, JsonValue

from evals.truth import Adjudication, IncidentId
from trimtab.contracts.base import Record
from trimtab.contracts.decision import Verdict
from trimtab.contracts.deliberation import Cause
from trimtab.contracts.incident import Ending
from trimtab.contracts.remediation import Action


class ResponseRecord(Record):
    """How one event was answered."""

    cause: Cause
    also: tuple[Cause, ...] = ()
    likelihoods: dict[Cause, float]
    action: Action
    target_version: str | None = None
    confidence: float
    parts: dict[str, float] = Field(default_factory=dict)
    """Parts of the confidence by name."""
    verdict: Verdict
    rule: str
    approved: bool | None = None
    """The scripted person's answer; None if nobody was asked."""
    ending: Ending
    promoted: bool = False
    """Whether another version was made champion, even if that was undone."""
    kept: bool = False
    """Whether another version is champion afterwards."""
    detail: str = ""
    evidence: JsonValue = None
    """Measurements that the evidence pack holds beside the finding."""

    @property
    def named(self) -> tuple[Cause, ...]:
        """Every cause that was named."""
        return tuple(dict.fromkeys((self.cause, *self.also)))

    @property
    def executed_alone(self) -> bool:
        """Whether the action was executed without a person."""
        return self.verdict is Verdict.EXECUTE and self.action.changes_registry


class WindowRecord(Record):
    """One watched window."""

    index: int
    rows: int
    served_version: str
    served: float | None
    """Metric of the version that served, on true targets; None if it is undefined."""
    untouched: float | None
    """Metric of the version that serves if nobody ever acts."""
    observed: float | None = None
    """Metric that monitoring reported, on the targets that arrived."""
    event: bool = False
    suppression: str = ""
    """Why a finding was not published."""
    finding: JsonValue = None
    """The finding without defaults, published or not."""
    response: ResponseRecord | None = None
    failure: str = ""
    """Error that ended the window's check or response."""


class OracleRecord(Record):
    """What each action would have brought, and what simple policies would have done."""

    window: int
    """Index of the window at whose end each action was really done."""
    actions: dict[str, float | None]
    """Mean metric in the later windows by action: "keep", "retrain" and "roll_back"."""
    policies: dict[str, tuple[float | None, ...]]
    """Metric in each window by policy: "never", "always", "threshold" and "cusum"."""


class PlayedIncident(Record):
    """One played incident with its truth."""

    id: IncidentId
    code: str
    """Digest of the code and rules that played it."""
    analyst: str
    tolerance: float
    metric: str
    adjudication: Adjudication
    windows: tuple[WindowRecord, ...]
    oracle: OracleRecord
    seconds: float

    @property
    def first_event(self) -> WindowRecord | None:
        """The first window from the onset on with an event."""
        onset = self.adjudication.truth.onset
        return next((each for each in self.windows if each.event and each.index >= onset), None)
