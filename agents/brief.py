"""What an agent is shown of the case: one compact object, as JSON in the request.

Language models read it as text; `analyst/rules` parses it back.
"""

from agents.case import Task
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


class Moved(Record):
    """How far one column moved."""

    name: str
    role: FeatureRole
    psi: float
    drifted: bool


class Fault(Record):
    """What is wrong with the data itself."""

    kind: FaultKind
    column: str | None = None
    fraction: float
    corrupt: bool


class Finding(Record):
    """The drift that was announced, in figures."""

    severity: Severity
    window: str
    rows: int
    history_days: int | None = None
    """From the first row that the champion learnt from to the window's end; None where a window is
    compared with an earlier one."""
    moved: tuple[Moved, ...] = ()
    faults: tuple[Fault, ...] = ()
    performance: PerformanceChange | None = None
    estimate: PerformanceEstimate | None = None
    """What covariate shift alone is expected to do to the metric."""
    concept_loss: float | None = None
    """Loss of the metric beyond what covariate shift explains."""
    told_apart: float | None = None
    """How well a classifier tells rows from the reference's: lower end of its AUC's interval."""


class Model(Record):
    """What matters of the model's configuration."""

    name: str
    task: str
    metric: str
    tolerance: float
    tier: str
    target: str
    champion: str | None = None
    currency: str
    retraining_cost: float
    rollback_cost: float
    degradation_cost_per_day: float


class Item(Record):
    """An item of evidence, to be cited by its id."""

    id: str
    statement: str
    value: float | None = None
    version: str | None = None
    """The version of the model that the statement is about."""
    inspected: bool = False
    """Whether one of the investigator's tools measured it."""


class Excerpt(Record):
    """A runbook or past incident, by its beginning."""

    id: str
    kind: str
    title: str
    similarity: float
    cause: str | None = None
    action: str | None = None
    succeeded: bool | None = None
    excerpt: str = ""


class CauseFound(Record):
    """The investigator's answer, for those who come after."""

    cause: Cause
    likelihoods: dict[Cause, float]
    explanation: str
    citations: tuple[str, ...] = ()


class PlanProposed(Record):
    """The strategist's answer, for the review."""

    action: Action
    target_version: str | None = None
    rationale: str
    citations: tuple[str, ...] = ()


class Brief(Record):
    """Everything one agent is shown."""

    task: Task
    model: Model
    finding: Finding
    evidence: tuple[Item, ...]
    documents: tuple[Excerpt, ...] = ()
    focus: tuple[Name, ...] = ()
    question: str = ""
    root_cause: CauseFound | None = None
    plan: PlanProposed | None = None


def read_brief(text: str) -> Brief:
    """The brief in a request's text; raises ValueError where there is none."""
    return Brief.model_validate(unfence(text))
