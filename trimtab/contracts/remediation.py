"""Actions on the model registry, their effects, and whether they helped."""

from datetime import timedelta
from enum import StrEnum

from pydantic import AwareDatetime, Field

from trimtab.contracts.base import Digest, Name, NonNegativeDuration, Record, Text, compute_digest
from trimtab.contracts.drift import Window
from trimtab.contracts.model import GateOutcome, ModelSpec, PairedComparison


class Action(StrEnum):
    """Possible responses to drift."""

    MONITOR = "monitor"
    """Change nothing and keep monitoring."""
    WAIT = "wait"
    """Change nothing now, because the next windows will show what to do."""
    FIX_SOURCE = "fix_source"
    """Change nothing in the registry, and tell the owner to mend the data at its source."""
    RETRAIN = "retrain"
    """Train a challenger on recent rows; promote it if it beats the champion; verify."""
    ROLL_BACK = "roll_back"
    """Make an earlier version the champion; verify."""

    @property
    def changes_registry(self) -> bool:
        """Whether the action changes which version serves, or may."""
        return self in {Action.RETRAIN, Action.ROLL_BACK}


class Step(StrEnum):
    """Steps of a remediation."""

    RETRAIN = "retrain"
    PROMOTE = "promote"
    ROLL_BACK = "roll_back"
    VERIFY = "verify"
    UNDO = "undo"


def compute_effect_key(event_id: str, plan_hash: str, step: str) -> str:
    """Return the key of one step of one plan for one event.

    An effect that carries the key has already been applied. The key holds no run id, because a
    workflow that is reset continues under another one.
    """
    return compute_digest([event_id, plan_hash, step])


class GrantClaims(Record):
    """Content of a grant: it allows exactly one plan, on one model, from one champion."""

    event_id: Name
    model: Name
    action: Action
    plan_hash: Digest
    policy_hash: Digest
    champion_version: str | None
    target_version: str | None = None
    """For a rollback: the version to return to."""
    steps: tuple[Step, ...] = ()
    """The steps that change the registry and are granted; each is taken once."""
    spec_hash: Digest
    """Digest of the model's specification, as the mint's own configuration holds it."""
    verification_margin: float = 0.0
    """How much lower than before the metric may be after the action."""
    as_of: AwareDatetime
    """Time of the newest rows that retraining, gate and verification look at."""
    authority: str
    """ "policy:<rule>" or "person:<approver>"."""
    issued_at: AwareDatetime
    expires_at: AwareDatetime


class ActionOrder(Record):
    """Input of every mutating activity."""

    spec: ModelSpec
    event_id: Name
    correlation_id: Name
    plan_hash: Digest
    policy_hash: Digest
    action: Action
    champion_version: str | None
    """The champion at decision time."""
    challenger_version: str | None = None
    """The version to promote or to return to."""
    current: Window
    """The window that drifted; labelled rows are taken as of its end."""
    step: Name
    """Step of the plan; part of the effect's key."""
    key: Digest
    """sha256(event id, plan hash, step): never the run id."""
    grant: str
    """Signed JWT."""
    verification_margin: float = Field(default=0.0, ge=0.0)
    """How much lower than before the metric may be after an action that still counts as helpful."""


class RegistryEffect(Record):
    """Effect of a mutating activity on the registry, made now or found from an earlier attempt."""

    step: Name
    key: Digest
    model: Name
    version: str | None
    """The version that was trained or made champion."""
    previous_version: str | None = None
    applied: bool
    """False if the step was rightly not taken, for example because a challenger is no better."""
    reused: bool = False
    """Whether an earlier attempt had already applied it."""
    detail: Text
    before: float | None = None
    """The champion's metric on the gate slice; None if not compared."""
    after: float | None = None
    """The challenger's metric on the gate slice; None if not compared."""
    rows: int = 0
    gate: GateOutcome | None = None
    """What the comparison with the champion showed; None if the step compares nothing."""
    comparison: PairedComparison | None = None
    """The comparison that decided; None if there was none."""


class Verification(Record):
    """Whether the action helped, measured on rows that no version was trained or chosen on."""

    metric: Name
    before: float | None
    """The former champion's metric."""
    after: float | None
    """The new champion's metric on the same rows."""
    rows: int = Field(ge=0)
    """Number of rows verified on; 0 means not verified."""
    verified: bool
    """Whether there were rows, and the metric is not worse than before."""
    detail: Text
    comparison: PairedComparison | None = None
    """The comparison with the former champion; None if there was none."""


class RemediationInput(Record):
    """Input of the child workflow `remediation/<model>`."""

    order: ActionOrder
    verification_margin: float = 0.0
    audit_sequence: int
    audit_tip: Digest
    heartbeat: NonNegativeDuration = timedelta(seconds=30)


class Outcome(Record):
    """Outcome of an authorised plan."""

    effects: tuple[RegistryEffect, ...] = ()
    verification: Verification | None = None
    undone: bool = False
    failed: bool = False
    """Whether a step could not be carried out or was cancelled; `detail` says why."""
    superseded: bool = False
    """Whether a step was refused because somebody else had replaced the champion."""
    detail: Text = ""
    audit_sequence: int
    audit_tip: Digest
