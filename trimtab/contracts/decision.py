"""What the policy is asked, by which limits, and what it answers."""

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
    """What may happen, from the least to the most restrictive."""

    EXECUTE = "execute"
    MONITOR = "monitor"
    ESCALATE = "escalate"

    @property
    def rank(self) -> int:
        """0 for EXECUTE to 2 for ESCALATE: the highest of all rules wins."""
        return list(Verdict).index(self)


class Blackout(Record):
    """A recurring local-time span in which nothing is executed."""

    name: Name
    weekdays: tuple[int, ...] = Field(default=(0, 1, 2, 3, 4, 5, 6))
    """Monday is 0; the day on which the span starts."""
    start: time
    """Local time at which it begins."""
    duration: NonNegativeDuration
    """Elapsed time it lasts; may cross midnight."""
    timezone: str = "UTC"
    """IANA name, such as "Europe/London"."""

    @field_validator("timezone")
    @classmethod
    def _exists(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            msg = f"no time zone named {name!r}: use an IANA name such as Europe/London"
            raise ValueError(msg) from None
        return name


class Limits(Record):
    """The policy as data: the content of `conf/*/policy.yml`. It travels with the incident."""

    confidence_above: Fraction = 0.80
    """A plan executes only when its confidence is strictly greater."""
    cost_at_most: Decimal = Field(default=Decimal(100), ge=0)
    """Dearest plan that may execute, in the currency below."""
    currency: str = Field(default="EUR", pattern=r"^[A-Z]{3}$")
    allowed_actions: dict[Tier, tuple[Action, ...]] = Field(
        default_factory=lambda: {
            Tier.EXPERIMENTAL: (Action.RETRAIN, Action.ROLL_BACK),
            Tier.STANDARD: (Action.RETRAIN, Action.ROLL_BACK),
            Tier.CRITICAL: (),
        }
    )
    """Per tier, what may be executed without a person. Monitoring is always allowed."""
    blackouts: tuple[Blackout, ...] = ()
    cooldown: NonNegativeDuration = timedelta(hours=6)
    """Time after an action on a model in which no other executes."""
    monitor_at_most: Severity = Severity.HIGH
    """Gravest severity that a plan to do nothing may leave to monitoring alone."""
    approval_timeout: NonNegativeDuration = timedelta(hours=4)
    """Silence for this long ends the incident without action."""
    reminder_after: NonNegativeDuration = timedelta(hours=1)
    """One reminder is sent after this long."""
    verification_margin: float = Field(default=0.0, ge=0.0)
    """How much worse than before the metric may be after an action and still count as helped."""


class Facts(Record):
    """What the policy needs to know about the world, read at decision time."""

    tier: Tier
    severity: Severity
    confidence: Fraction
    corrupt: bool
    """Whether the window's data is too faulty to learn from."""
    champion_version: str | None
    reviewer_agrees: bool
    deliberation_failed: bool = False
    """Whether the configured analyst failed and the plan comes from the fallback."""
    last_action_at: AwareDatetime | None = None
    """When the model was last acted upon, by anyone Trimtab knows of."""


class RuleResult(Record):
    """One rule's answer."""

    rule: Name
    verdict: Verdict
    """The most permissive verdict that this rule still allows."""
    reason: Text


class PolicyQuestion(Record):
    """Input of the activity `check_policy`."""

    plan: RemediationPlan
    facts: Facts
    limits: Limits
    now: AwareDatetime


class Decision(Record):
    """The policy's answer, with every rule's result."""

    verdict: Verdict
    rule: Name
    """The rule that decided."""
    reason: Text
    results: tuple[RuleResult, ...]
    plan_hash: Digest
    policy_hash: Digest
    decided_at: AwareDatetime


class ConfidencePart(Record):
    """One checkable ground of the confidence."""

    name: Name
    value: Fraction
    weight: Fraction
    reason: Text


class Confidence(Record):
    """How sure we are that the plan is right: computed, never claimed."""

    value: Fraction
    parts: tuple[ConfidencePart, ...]
    self_reported: Fraction
    """The lowest figure the agents gave of themselves; it can only lower the value."""
