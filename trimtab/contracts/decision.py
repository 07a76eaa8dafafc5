"""Questions to the policy, the limits that it applies, and its decisions."""

from datetime import time, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AwareDatetime, Field, field_validator

from trimtab.contracts.approvers import Approver, ApproverName
from trimtab.contracts.base import Digest, Fraction, Name, NonNegativeDuration, Record, Text
from trimtab.contracts.blackout_calendar import BlackoutCalendar, HolidayCalendar
from trimtab.contracts.budget import Breaker, Budgets, LedgerFacts
from trimtab.contracts.calibration import ConfidenceCalibration
from trimtab.contracts.deliberation import Cause, RemediationPlan
from trimtab.contracts.drift import Severity
from trimtab.contracts.freeze import Freeze
from trimtab.contracts.model import Tier
from trimtab.contracts.notice import NoticeTarget
from trimtab.contracts.remediation import Action


class Verdict(StrEnum):
    """Answers of the policy, from the least to the most restrictive."""

    EXECUTE = "execute"
    MONITOR = "monitor"
    NOTIFY = "notify"
    """The owner is told what to mend at the source, and nobody is waited for."""
    ESCALATE = "escalate"

    @property
    def rank(self) -> int:
        """0 for EXECUTE to 3 for ESCALATE; the highest rank of all rules wins."""
        return list(Verdict).index(self)


def check_timezone(name: str) -> str:
    """Return the name of a time zone; raise `ValueError` if there is none of that name."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        msg = f"no time zone is named {name!r}: use an IANA name such as Europe/London"
        raise ValueError(msg) from None
    return name


class Blackout(Record):
    """A recurring period of local time in which nothing is executed."""

    name: Name
    weekdays: tuple[int, ...] = Field(default=(0, 1, 2, 3, 4, 5, 6))
    """Days on which the blackout starts; Monday is 0."""
    start: time
    """Local time of its start."""
    duration: NonNegativeDuration
    """Elapsed time that it lasts; it may cross midnight."""
    timezone: str = "UTC"
    """IANA name, such as "Europe/London"."""

    @field_validator("timezone")
    @classmethod
    def _check_timezone(cls, name: str) -> str:
        return check_timezone(name)


class Limits(Record):
    """The policy as data: the content of `conf/*/policy.yml`, which travels with the incident."""

    confidence_above: Fraction = 0.80
    """A plan is executed only if its confidence is strictly greater."""
    cost_at_most: Decimal = Field(default=Decimal(100), ge=0)
    """Highest cost of a plan that may be executed, in the currency below."""
    currency: str = Field(default="EUR", pattern=r"^[A-Z]{3}$")
    allowed_actions: dict[Tier, tuple[Action, ...]] = Field(
        default_factory=lambda: {
            Tier.EXPERIMENTAL: (Action.RETRAIN, Action.ROLL_BACK),
            Tier.STANDARD: (Action.RETRAIN, Action.ROLL_BACK),
            Tier.CRITICAL: (),
        }
    )
    """Actions that may be executed without a person, per tier. Monitoring is always allowed."""
    blackouts: tuple[Blackout, ...] = ()
    cooldown: NonNegativeDuration = timedelta(hours=6)
    """Time after an action on a model in which no other is executed."""
    monitor_at_most: Severity = Severity.HIGH
    """Highest severity that a plan to do nothing may leave to monitoring alone."""
    rules_likelihood_at_least: Fraction = 0.10
    """Likelihood that the rules must give a plan's cause, whoever the analyst is; see
    docs/adr/0034-rules-hold-a-veto.md for how the default was chosen."""
    approval_timeout: NonNegativeDuration = timedelta(hours=4)
    """Time without an answer after which the incident ends without action."""
    reminder_after: NonNegativeDuration = timedelta(hours=1)
    """Time without an answer after which one reminder is sent."""
    approvers: dict[ApproverName, Approver] = Field(default_factory=dict)
    """People whose answers count, by name. Where nobody is listed, the model's owner and the user
    who runs the bridge count."""
    approvals_needed: dict[Tier, Annotated[int, Field(ge=1, le=10)]] = Field(default_factory=dict)
    """Number of people who must approve a plan, per tier; 1 for a tier that is not listed."""
    two_approvals_from: Severity | None = None
    """Severity from which two people must approve an action, whatever the tier; None for never."""
    two_approvals_above: Decimal | None = Field(default=None, ge=0)
    """Cost above which two people must approve, in the currency above; None for never."""
    require_signature: bool = False
    """Whether an answer counts only if one of the approver's listed keys signed it."""
    last_call_before: NonNegativeDuration = timedelta(minutes=30)
    """Time before the deadline at which the second rank is told of an open question."""
    notify: dict[Name, NoticeTarget] = Field(default_factory=dict)
    """Where notices go, by name, beside the log and the folder of pages."""
    event_age_at_most: NonNegativeDuration = timedelta(days=3)
    """Time after the end of an event's window, beyond the window's own length and the label delay,
    until which the event counts as current."""
    verification_margin: float = Field(default=0.0, ge=0.0)
    """How much lower than before the metric may be after an action that still counts as helpful."""
    timezone: str = "UTC"
    """IANA name of the zone in which budgets, calendars and holidays count days."""
    calendars: tuple[BlackoutCalendar, ...] = ()
    """Calendars whose events are blackouts."""
    holidays: tuple[HolidayCalendar, ...] = ()
    """Public holidays, which are blackouts."""
    budgets: Budgets = Budgets()
    breaker: Breaker = Breaker()
    calibration: ConfidenceCalibration = ConfidenceCalibration()
    """How the confidence is computed from what was measured."""
    shadow: bool = False
    """Whether every decision is recorded and none is carried out."""
    shadow_models: tuple[Name, ...] = ()
    """Models for which decisions are recorded and none is carried out."""

    @field_validator("timezone")
    @classmethod
    def _check_zone(cls, name: str) -> str:
        return check_timezone(name)

    def is_shadow(self, model: str) -> bool:
        """Return whether decisions about the model are recorded and not carried out."""
        return self.shadow or model in self.shadow_models


class Contradiction(Record):
    """A claim of an event that disagrees with what is known or measured."""

    rule: Name
    """The rule that escalates because of it."""
    statement: Text
    """The claim and the fact that it disagrees with, as a clause."""


class Facts(Record):
    """Facts that the policy needs, as they were when the decision was made."""

    tier: Tier
    severity: Severity
    confidence: Fraction
    corrupt: bool
    """Whether the window's data is too faulty to learn from."""
    champion_version: str | None
    reviewer_agrees: bool
    deliberation_failed: bool = False
    """Whether the configured analyst failed, so that the plan comes from the fallback."""
    last_action_at: AwareDatetime | None = None
    """Time of the last action on the model that Trimtab knows of."""
    ledger: LedgerFacts | None = None
    """What was done so far; None if it is not known."""
    freeze: Freeze | None = None
    """The freeze that is in force for the model; None if there is none."""
    degraded: bool = True
    """Whether the metric lost more than is tolerated: measured, or estimated without labels."""
    rules_support: bool = False
    """Whether the rules' own reading of the evidence supports the plan; `policies.second_opinion`
    says how."""
    rules_reason: Text = "the rules were not asked"
    """Why they do not support it; empty if they do."""
    rules_cause: Cause | None = None
    """The most likely cause by the rules."""
    rules_likelihood: Fraction = 0.0
    """Likelihood that the rules give the plan's cause."""
    measured_metrics: dict[str, float] = Field(default_factory=dict)
    """Metric by version on the newest labelled rows."""
    former_champions: tuple[str, ...] = ()
    """Versions older than the champion that were champion before."""
    promotion_margin: float = Field(default=0.0, ge=0.0)
    """How much better than the champion a rollback's target must be."""
    event_signed: bool = False
    """Whether an accepted publisher signed the event."""
    contradictions: tuple[Contradiction, ...] = ()
    """Claims of the event that disagree with what is known or measured."""


class RuleResult(Record):
    """Answer of one rule."""

    rule: Name
    verdict: Verdict
    """The most permissive verdict that this rule allows."""
    reason: Text


class PolicyQuestion(Record):
    """Input of the activity `check_policy`."""

    plan: RemediationPlan
    facts: Facts
    limits: Limits
    now: AwareDatetime


class Decision(Record):
    """Answer of the policy, with the result of every rule."""

    verdict: Verdict
    rule: Name
    """The rule that decided, or "all_rules"."""
    reason: Text
    results: tuple[RuleResult, ...]
    plan_hash: Digest
    policy_hash: Digest
    decided_at: AwareDatetime


class ConfidencePart(Record):
    """One checkable part of the confidence."""

    name: Name
    value: Fraction
    weight: float = Field(ge=0.0)
    """Its weight in log-odds."""
    reason: Text


class Confidence(Record):
    """Score of how likely a plan is right: computed from evidence, never claimed by a model."""

    value: Fraction
    parts: tuple[ConfidencePart, ...]
    self_reported: Fraction
    """The lowest confidence that the agents report themselves; it can only lower the value."""
