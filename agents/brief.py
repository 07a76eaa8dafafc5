"""The part of the case that an agent is shown: one compact object, as JSON in the request.

Language models read it as text, and `analyst/rules` parses it back: its field names are part of the
prompts.
"""

from agents.case import AgentStep
from agents.fence import unfence
from trimtab.contracts.base import Name, Record
from trimtab.contracts.deliberation import Cause
from trimtab.contracts.drift import (
    FaultKind,
    FeatureRole,
    PerformanceChange,
    PerformanceEstimate,
    Severity,
)
from trimtab.contracts.remediation import Action
from trimtab.contracts.window_signals import WindowSignals


class ColumnBrief(Record):
    """How far one column moved."""

    name: str
    role: FeatureRole
    psi: float
    drifted: bool


class FaultBrief(Record):
    """A fault in the data itself."""

    kind: FaultKind
    column: str | None = None
    fraction: float
    corrupt: bool
    gravity: float | None = None
    """How far the fault can explain a loss, 0 to 1."""
    segment: str = ""
    """The rows that are affected, if not all are."""


class FindingBrief(Record):
    """The announced drift, in figures."""

    severity: Severity
    window: str
    rows: int
    history_days: int | None = None
    """Days from the first row of the champion's training data to the window's end; None if the
    window is compared with an earlier window."""
    moved: tuple[ColumnBrief, ...] = ()
    faults: tuple[FaultBrief, ...] = ()
    performance: PerformanceChange | None = None
    estimate: PerformanceEstimate | None = None
    """Expected effect of covariate shift alone on the metric."""
    concept_loss: float | None = None
    """Loss of the metric that covariate shift does not explain."""
    told_apart: float | None = None
    """Lower end of the confidence interval of the domain classifier's AUC."""
    inputs_drifted: bool | None = None
    """Whether the inputs drifted when they are taken together."""
    signals: WindowSignals | None = None
    """Measurements that tell causes apart."""


class ModelBrief(Record):
    """The relevant part of the model's configuration."""

    name: str
    task: str
    metric: str
    tolerance: float
    tier: str
    target: str
    champion: str | None = None
    rollback_targets: tuple[str, ...] = ()
    """Versions that may be rolled back to: former champions that are better on the newest rows."""
    currency: str
    retraining_cost: float
    rollback_cost: float
    degradation_cost_per_day: float


class EvidenceBrief(Record):
    """An item of evidence, which is cited by its id."""

    id: str
    statement: str
    value: float | None = None
    version: str | None = None
    """The version of the model that the statement is about."""
    sign: bool | None = None
    """Whether the item found a loss or a drift; None if it does not judge that."""
    inspected: bool = False
    """Whether one of the investigator's tools measured it."""


class DocumentBrief(Record):
    """The beginning of a runbook or past incident."""

    id: str
    kind: str
    title: str
    similarity: float
    cause: str | None = None
    action: str | None = None
    succeeded: bool | None = None
    origin: str | None = None
    """For past incidents: "observed", or "example" for a worked example."""
    excerpt: str = ""


class CauseBrief(Record):
    """The investigator's answer, for the steps that follow."""

    cause: Cause
    also: tuple[Cause, ...] = ()
    likelihoods: dict[Cause, float]
    explanation: str
    citations: tuple[str, ...] = ()


class PlanBrief(Record):
    """The strategist's answer, for the review."""

    action: Action
    target_version: str | None = None
    rationale: str
    citations: tuple[str, ...] = ()


class Brief(Record):
    """Everything that one agent is shown."""

    task: AgentStep
    model: ModelBrief
    finding: FindingBrief
    evidence: tuple[EvidenceBrief, ...]
    documents: tuple[DocumentBrief, ...] = ()
    focus: tuple[Name, ...] = ()
    question: str = ""
    root_cause: CauseBrief | None = None
    plan: PlanBrief | None = None


def read_brief(text: str) -> Brief:
    """Return the brief in a request's text; raise ValueError if there is none."""
    return Brief.model_validate(unfence(text))
