"""Limits that add up over many incidents, and what the ledger says was done so far."""

from datetime import timedelta
from decimal import Decimal

from pydantic import AwareDatetime, Field

from trimtab.contracts.base import Digest, Name, NonNegativeDuration, Record
from trimtab.contracts.freeze import Freeze
from trimtab.contracts.remediation import Action


class Budget(Record):
    """The most that may be executed without a person. None: no limit."""

    actions_per_day: int | None = Field(default=None, ge=0)
    """Retrainings and rollbacks in a calendar day of the policy's time zone."""
    actions_per_month: int | None = Field(default=None, ge=0)
    """Retrainings and rollbacks in a calendar month."""
    cost_per_day: Decimal | None = Field(default=None, ge=0)
    """Cost of the plans that were carried out in a calendar day, in the policy's currency."""
    cost_per_month: Decimal | None = Field(default=None, ge=0)


class Budgets(Record):
    """Budgets of the policy."""

    each_model: Budget = Budget()
    all_models: Budget = Budget()
    """The budget of all models together."""


class Breaker(Record):
    """Stops automatic actions on a model after several of them failed."""

    failures: int | None = Field(default=None, ge=1)
    """Number of failed or undone remediations from which a person is asked; None: never."""
    period: NonNegativeDuration = timedelta(days=7)
    """Time after which a failure no longer counts."""


class Spending(Record):
    """Actions and their cost in one period, counted once an effect is reserved or attempted."""

    actions: int = Field(default=0, ge=0)
    cost: Decimal = Field(default=Decimal(0), ge=0)


class LedgerFacts(Record):
    """What was done on a model, and on all models, as the audit log says."""

    model_day: Spending = Spending()
    model_month: Spending = Spending()
    all_day: Spending = Spending()
    all_month: Spending = Spending()
    last_attempt_at: AwareDatetime | None = None
    """Time of the last attempted effect on the model, also if nothing was promoted."""
    failures: tuple[AwareDatetime, ...] = ()
    """Times at which remediations of the model failed or were undone, oldest first."""


class Reservation(Record):
    """An action about to be granted; it counts until the audit log has it, or it expires."""

    incident: Name
    model: Name
    plan_hash: Digest
    action: Action
    cost: Decimal = Field(ge=0)
    currency: str
    at: AwareDatetime
    """Time of the reservation, as the policy's clock has it."""
    expires_at: AwareDatetime
    """When its grant expires, by the real clock."""


class UsageQuery(Record):
    """Input of the activity `read_usage`."""

    model: Name
    incident: Name
    """The event id; what this incident itself does is not counted."""
    now: AwareDatetime
    """The present, as the policy's clock has it."""
    timezone: str = "UTC"
    currency: str = "EUR"
    lookback: NonNegativeDuration = timedelta(0)
    """Time before the current month that the ledger also reads, for cooldown and breaker."""


class ModelUsage(Record):
    """What the policy must know about a model beside the incident itself, read afresh."""

    ledger: LedgerFacts | None = None
    freeze: Freeze | None = None
