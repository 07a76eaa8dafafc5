"""Questions to the policy, the limits that it applies, and its decisions."""

from datetime import time, timedelta
from decimal import Decimal
from enum import StrEnum
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AwareDatetime, Field, field_validator

from trimtab.contracts.base import Digest, Fraction, Name, NonNegativeDuration, Record, Text
from trimtab.contracts.deliberation import RemediationPlan
from trimtab.contracts.drift import Severity
from trimtab.contracts.model import Tier
from trimtab.contracts.remediation import Action


class Verdict(StrEnum):
    """Answers of the policy, from the least to the most restrictive."""

    EXECUTE = "execute"
    MONITOR = "monitor"
    ESCALATE = "escalate"

    @property
    def rank(self) -> int:
        """0 for EXECUTE to 2 for ESCALATE; the highest rank of all rules wins."""
        return list(Verdict).index(self)


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
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            msg = f"no time zone is named {name!r}: use an IANA name such as Europe/London"
            raise ValueError(msg) from None
        return name


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
    approval_timeout: NonNegativeDuration = timedelta(hours=4)
    """Time without an answer after which the incident ends without action."""
    reminder_after: NonNegativeDuration = timedelta(hours=1)
    """Time without an answer after which one reminder is sent."""
    event_age_at_most: NonNegativeDuration = timedelta(days=3)
    """Time after the end of an event's window, beyond the window's own length and the label delay,
    until which the event counts as current."""
    verification_margin: float = Field(default=0.0, ge=0.0)
    """How much lower than before the metric may be after an action that still counts as helpful."""


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
    weight: Fraction
    reason: Text


class Confidence(Record):
    """Score of how likely a plan is right: computed from evidence, never claimed by a model."""

    value: Fraction
    parts: tuple[ConfidencePart, ...]
    self_reported: Fraction
    """The lowest confidence that the agents report themselves; it can only lower the value."""
