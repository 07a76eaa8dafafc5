"""Adds up what was done so far, from the entries of the audit log: there is no second truth.

A plan counts from the moment at which its grant is on record. Once its incident is closed, it
counts only if an effect was attempted: a superseded plan costs nothing, a refused retraining costs
what a retraining costs.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Final
from zoneinfo import ZoneInfo

from pydantic import JsonValue

from trimtab.contracts.audit import AuditEntry, Gate
from trimtab.contracts.base import compute_digest
from trimtab.contracts.budget import LedgerFacts, Reservation, Spending, UsageQuery
from trimtab.contracts.decision import Limits
from trimtab.contracts.deliberation import RemediationPlan
from trimtab.contracts.incident import Ending
from trimtab.contracts.remediation import Step

_CHANGING_STEPS: Final = {Step.RETRAIN.value, Step.PROMOTE.value, Step.ROLL_BACK.value}
_FAILED_ENDINGS: Final = {Ending.UNDONE.value, Ending.NOT_VERIFIED.value, Ending.FAILED.value}
_MAX_RECORDING_DELAY: Final = timedelta(minutes=5)
"""Time between a decision and its entry, from which the decision is one of a replay."""
_MAX_FAILURES: Final = 50
"""Number of the newest failures that are kept: more never change the answer."""


@dataclass(frozen=True, kw_only=True)
class ActionAttempt:
    """A granted plan, as far as its incident has come."""

    incident: str
    model: str
    cost: Decimal
    currency: str
    granted_at: datetime
    attempted_at: datetime | None = None
    """Time of its last effect, or of the attempt at one; None if there was none yet."""
    failed_at: datetime | None = None
    """Time at which it failed or was undone."""
    released: bool = False
    """Whether its incident ended without an attempt: it counts for nothing."""


def build_usage_query(model: str, incident: str, *, limits: Limits, now: datetime) -> UsageQuery:
    """Return the question about what was done so far."""
    return UsageQuery(
        model=model,
        incident=incident,
        now=now,
        timezone=limits.timezone,
        currency=limits.currency,
        lookback=max(limits.cooldown, limits.breaker.period),
    )


def summarise_chain(entries: Sequence[AuditEntry]) -> ActionAttempt | None:
    """Return the granted plan of one incident's entries, or None if no grant is on record.

    What stands behind the incident's first end is no action: nothing is authorised any more. Who
    starts a workflow of ours by hand can have entries written there.
    """
    entries = _select_until_end(entries)
    granted = next((entry for entry in entries if entry.gate is Gate.AUTHORISED), None)
    if granted is None:
        return None
    replayed_at = _find_replayed_time(entries)
    plan = _find_plan(entries)
    attempts = [replayed_at or entry.at for entry in entries if _is_attempt(entry)]
    closed = next((entry for entry in entries if entry.gate is Gate.CLOSED), None)
    failed = _find_failure(entries, closed)
    return ActionAttempt(
        incident=granted.incident,
        model=granted.model,
        cost=_parse_cost(plan.get("cost")),
        currency=str(plan.get("currency", "")),
        granted_at=replayed_at or granted.at,
        attempted_at=max(attempts, default=None),
        failed_at=(replayed_at or failed) if failed and attempts else None,
        released=closed is not None and not attempts,
    )


def build_reservation(plan: RemediationPlan, *, now: datetime, expires_at: datetime) -> Reservation:
    """Return the reservation of a plan whose grant expires at `expires_at`, by the real clock."""
    return Reservation(
        incident=plan.event_id,
        model=plan.model,
        plan_hash=compute_digest(plan),
        action=plan.action,
        cost=max(plan.cost, Decimal(0)),
        currency=plan.currency,
        at=now,
        expires_at=expires_at,
    )


def convert_reservation(reservation: Reservation) -> ActionAttempt:
    """Return a reservation as a plan that is granted and not attempted yet."""
    return ActionAttempt(
        incident=reservation.incident,
        model=reservation.model,
        cost=reservation.cost,
        currency=reservation.currency,
        granted_at=reservation.at,
    )


def add_up(attempts: Iterable[ActionAttempt], query: UsageQuery) -> LedgerFacts:
    """Return what was done on the model and on all models; the incident's own plan is left out.

    Days and months are those of the calendar in the query's time zone. Costs in another currency
    are not added, but the action is counted.
    """
    day, month = find_period_starts(query.now, query.timezone)
    counted = [
        each
        for each in attempts
        if not each.released and (each.incident, each.model) != (query.incident, query.model)
    ]
    own = [each for each in counted if each.model == query.model]
    failures = sorted(each.failed_at for each in own if each.failed_at is not None)
    return LedgerFacts(
        model_day=_sum_since(own, day, query.currency),
        model_month=_sum_since(own, month, query.currency),
        all_day=_sum_since(counted, day, query.currency),
        all_month=_sum_since(counted, month, query.currency),
        last_attempt_at=max(
            (each.attempted_at for each in own if each.attempted_at is not None), default=None
        ),
        failures=tuple(failures[-_MAX_FAILURES:]),
    )


def find_period_starts(now: datetime, timezone: str) -> tuple[datetime, datetime]:
    """Return the first instants of the local day and of the local month that contain `now`."""
    zone = ZoneInfo(timezone)
    today = now.astimezone(zone).date()
    day, first = (
        datetime.combine(each, time.min, tzinfo=zone) for each in (today, today.replace(day=1))
    )
    return day, first


def merge_attempts(
    recorded: Iterable[ActionAttempt], reserved: Iterable[ActionAttempt]
) -> list[ActionAttempt]:
    """Return the recorded plans, and the reserved ones that are not on record yet."""
    known = {(each.incident, each.model): each for each in recorded}
    for each in reserved:
        known.setdefault((each.incident, each.model), each)
    return list(known.values())


def _sum_since(attempts: Iterable[ActionAttempt], start: datetime, currency: str) -> Spending:
    since = [each for each in attempts if each.granted_at >= start]
    costs = (each.cost for each in since if each.currency == currency)
    return Spending(actions=len(since), cost=sum(costs, start=Decimal(0)))


def _select_until_end(entries: Sequence[AuditEntry]) -> Sequence[AuditEntry]:
    ends = (number for number, entry in enumerate(entries) if entry.gate is Gate.CLOSED)
    return entries[: next(ends, len(entries)) + 1]


def _find_replayed_time(entries: Sequence[AuditEntry]) -> datetime | None:
    """Return the instant at which a replayed incident stands still; None if it is no replay.

    A backtest decides as of the past, and records in the present.
    """
    for entry in entries:
        if entry.gate is Gate.DECIDED:
            try:
                decided_at = datetime.fromisoformat(str(entry.detail.get("decided_at")))
                delay = abs(entry.at - decided_at)
            except (TypeError, ValueError):
                return None
            return decided_at if delay > _MAX_RECORDING_DELAY else None
    return None


def _find_plan(entries: Sequence[AuditEntry]) -> Mapping[str, JsonValue]:
    """Return the plan that was decided on; nothing if the log does not hold it."""
    for entry in reversed(entries):
        question = entry.detail.get("question") if entry.gate is Gate.DECIDED else None
        holder = question if isinstance(question, dict) else entry.detail
        if entry.gate in {Gate.DECIDED, Gate.DELIBERATED} and isinstance(holder.get("plan"), dict):
            plan = holder["plan"]
            return plan if isinstance(plan, dict) else {}
    return {}


def _is_attempt(entry: AuditEntry) -> bool:
    """Return whether an effect was about to begin, or came back."""
    return entry.gate in {Gate.INTENDED, Gate.EFFECTED} and (
        entry.detail.get("step") in _CHANGING_STEPS
    )


def _find_failure(entries: Sequence[AuditEntry], closed: AuditEntry | None) -> datetime | None:
    """Return when the remediation failed or was undone.

    One that is open, or was closed by a sweep, failed if it was undone.
    """
    if closed is not None and closed.detail.get("ending") != Ending.ABANDONED.value:
        return closed.at if closed.detail.get("ending") in _FAILED_ENDINGS else None
    return next((entry.at for entry in entries if entry.gate is Gate.UNDONE), None)


def _parse_cost(value: JsonValue) -> Decimal:
    """Return a cost that is never negative; 0 if it is not a number."""
    try:
        cost = Decimal(str(value))
    except InvalidOperation:
        return Decimal(0)
    return max(cost, Decimal(0)) if cost.is_finite() else Decimal(0)
