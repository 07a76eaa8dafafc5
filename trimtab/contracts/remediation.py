"""Actions on the model registry, what they did, and whether it helped."""

from datetime import timedelta
from enum import StrEnum

from pydantic import AwareDatetime, Field

from trimtab.contracts.base import Digest, Name, NonNegativeDuration, Record, Text, compute_digest
from trimtab.contracts.drift import Window
from trimtab.contracts.model import ModelSpec


class Action(StrEnum):
    """What can be done about drift."""

    MONITOR = "monitor"
    """Nothing; keep watching."""
    RETRAIN = "retrain"
    """Train a challenger on recent rows; promote it if it beats the champion; verify."""
    ROLL_BACK = "roll_back"
    """Make an earlier version the champion; verify."""


class Step(StrEnum):
    """What a remediation is made of."""

    RETRAIN = "retrain"
    PROMOTE = "promote"
    ROLL_BACK = "roll_back"
    VERIFY = "verify"
    UNDO = "undo"


def compute_effect_key(event_id: str, plan_hash: str, step: str) -> str:
    """Names one step of one plan for one event: an effect that carries it was taken already.

    It holds no run id, for a workflow that is reset runs on under another one.
    """
    return compute_digest([event_id, plan_hash, step])


class GrantClaims(Record):
    """What a grant allows: exactly one plan, on one model, from one champion."""

    event_id: Name
    model: Name
    action: Action
    plan_hash: Digest
    policy_hash: Digest
    champion_version: str | None
    target_version: str | None = None
    """For a rollback: the one version to go back to."""
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
    """The champion when the decision was made."""
    challenger_version: str | None = None
    """The version to promote or to go back to."""
    current: Window
    """The window that drifted; labelled rows are taken as of its end."""
    step: Name
    """Which step of the plan: part of the effect's key."""
    key: Digest
    """sha256(event id, plan hash, step): never the run id."""
    grant: str
    """Signed JWT."""
    verification_margin: float = Field(default=0.0, ge=0.0)
    """How much lower than before the metric may be and still count as helped."""


class RegistryEffect(Record):
    """What a mutating activity did, or found done."""

    step: Name
    key: Digest
    model: Name
    version: str | None
    """The version made or made champion."""
    previous_version: str | None = None
    applied: bool
    """False when the step was rightly not taken, such as a challenger that is no better."""
    reused: bool = False
    """True when an earlier attempt had already done it."""
    detail: Text
    before: float | None = None
    """The champion's metric on the gate slice, where compared."""
    after: float | None = None
    """The challenger's metric on the gate slice, where compared."""
    rows: int = 0


class Verification(Record):
    """Whether the action helped, on rows that nothing was fitted or chosen on."""

    metric: Name
    before: float | None
    """The former champion's metric."""
    after: float | None
    """The new champion's metric on the same rows."""
    rows: int = Field(ge=0)
    """0 means: not verified."""
    verified: bool
    """Rows were there and the metric is not worse than before."""
    detail: Text


class RemediationInput(Record):
    """What the child `remediation/<model>` is started with."""

    order: ActionOrder
    verification_margin: float = 0.0
    audit_sequence: int
    audit_tip: Digest
    heartbeat: NonNegativeDuration = timedelta(seconds=30)


class Outcome(Record):
    """What came of a plan that was authorised."""

    effects: tuple[RegistryEffect, ...] = ()
    verification: Verification | None = None
    undone: bool = False
    failed: bool = False
    """A step could not be carried out, or it was cancelled; `detail` says why."""
    detail: Text = ""
    audit_sequence: int
    audit_tip: Digest
