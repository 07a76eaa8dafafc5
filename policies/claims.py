"""Holds the claims of a drift event against what is known and measured now.

An event opens an investigation; it is not evidence. What it claims about the window, the champion
and the metric is compared with the clock, the registry and our own measurement, and a claim that
disagrees goes to a person, with the contradiction in words.
"""

import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from trimtab.contracts.base import quote_words
from trimtab.contracts.decision import Contradiction, Limits
from trimtab.contracts.drift import DriftEvent, PerformanceChange, Severity, rate_loss
from trimtab.contracts.event_bounds import find_implausible_values
from trimtab.contracts.evidence import EvidencePack
from trimtab.contracts.model import ModelSpec, VersionMetric

EVENT_FIGURES: Final = "event_figures"
EVENT_WINDOW: Final = "event_window"
EVENT_CHAMPION: Final = "event_champion"
EVENT_METRIC: Final = "event_metric"
CLAIM_RULES: Final = (EVENT_FIGURES, EVENT_WINDOW, EVENT_CHAMPION, EVENT_METRIC)
"""The rules that hold an event's claims against the facts."""
OWN_DETECTOR: Final = "trimtab"
"""Value of `DriftFinding.detector` in the events of our own monitoring."""

_CLOCK_DIFFERENCE: Final = timedelta(minutes=10)
"""Time by which the detector's clock may be ahead."""
_AGREEMENT_QUANTILE: Final = 3.0
"""Standard errors by which two measurements of the same metric may differ."""
_LOSS_QUANTILE: Final = 2.33
"""Standard errors that a measured loss exceeds before it raises the severity: 1 % by chance."""
_MIN_CLAIMED_ROWS: Final = 30
"""Rows that a claimed metric counts as at least: nobody announces a loss seen on fewer."""
_WEEK: Final = timedelta(days=7)
_SEEN_LOSS: Final = 0.5
"""Share of the tolerance that must be lost for a claimed degradation to count as seen."""
_MAX_STATEMENT_LENGTH: Final = 2000


def find_contradictions(
    event: DriftEvent,
    pack: EvidencePack | None,
    spec: ModelSpec,
    limits: Limits,
    *,
    now: datetime,
) -> tuple[Contradiction, ...]:
    """Return the event's claims that disagree with the facts, in the order of the rules.

    Without evidence, only the event itself and its window can be checked.
    """
    claims: dict[str, Iterator[str]] = {
        EVENT_FIGURES: iter(find_implausible_values(event)),
        EVENT_WINDOW: _check_window(event, pack, spec, limits, now),
        EVENT_CHAMPION: _check_champion(event, pack),
        EVENT_METRIC: _check_metric(event, pack, spec),
    }
    return tuple(
        Contradiction(rule=rule, statement=statement[:_MAX_STATEMENT_LENGTH])
        for rule, statements in claims.items()
        for statement in statements
    )


def rate_measured_loss(
    event: DriftEvent, pack: EvidencePack | None, spec: ModelSpec
) -> Severity | None:
    """Return the severity of the loss that was measured for this incident; None if unknown.

    A loss that chance may explain counts as unknown.
    """
    measured, reference = _find_measurement(pack, spec), _find_reference(event, pack, spec)
    if measured is None or reference is None:
        return None
    loss = reference - measured.value
    if loss > spec.tolerance and loss <= _LOSS_QUANTILE * _get_error(measured):
        return None
    return rate_loss(loss / spec.tolerance)


def _check_window(
    event: DriftEvent,
    pack: EvidencePack | None,
    spec: ModelSpec,
    limits: Limits,
    now: datetime,
) -> Iterator[str]:
    end = event.data.current.end
    age = now - end
    oldest = spec.window + spec.label_delay + limits.event_age_at_most
    if age < -_CLOCK_DIFFERENCE:
        yield f"the event's window ends at {end:%Y-%m-%d %H:%M}, and now is {now:%Y-%m-%d %H:%M}"
    if age > oldest:
        yield (
            f"the event's window ended {_format_days(age)} ago, at {end:%Y-%m-%d %H:%M}: "
            f"an event of this model is current for {_format_days(oldest)}"
        )
    trained_until = pack.champion_trained_until if pack else None
    if trained_until is not None and end <= trained_until:
        yield (
            f"the event's window ended at {end:%Y-%m-%d %H:%M}, but the champion learned from rows "
            f"until {trained_until:%Y-%m-%d %H:%M}"
        )


def _check_champion(event: DriftEvent, pack: EvidencePack | None) -> Iterator[str]:
    if pack is None:
        return
    named, champion = event.data.champion_version, pack.champion_version
    if named is None:
        if event.data.detector == OWN_DETECTOR:
            yield f"the event names no champion, and our own detector {OWN_DETECTOR} always does"
    elif named != champion:
        today = f"is version {champion}" if champion else "has no version"
        shown = named if named.isalnum() else quote_words(named)
        yield f"the event is about champion version {shown:.100}, but today's champion {today}"


def _check_metric(event: DriftEvent, pack: EvidencePack | None, spec: ModelSpec) -> Iterator[str]:
    claim = event.data.performance
    if pack is None or claim is None:
        return
    said = f"the event says {claim.metric} {claim.current:.3f} on {claim.rows:,} rows"
    measured = _find_measurement(pack, spec)
    if measured is None:
        yield f"{said}, but the champion could not be measured on the newest labelled rows"
        return
    found = f"measured is {measured.metric} {measured.value:.3f} on {measured.rows:,} rows"
    if claim.metric == measured.metric:
        difference = abs(claim.current - measured.value)
        if difference > _compute_margin(claim, measured, spec):
            yield f"{said}, but {found}"
            return
    elif not claim.degraded:
        return
    reference = _find_reference(event, pack, spec)
    if claim.degraded and reference is None:
        yield f"{said}, {found}, and it is not known what {measured.metric} the champion had"
    elif (
        claim.degraded
        and reference is not None
        and reference - measured.value < _SEEN_LOSS * spec.tolerance
    ):
        yield f"{said}, a loss, but {found}: no loss against {reference:.3f}"


def _compute_margin(claim: PerformanceChange, measured: VersionMetric, spec: ModelSpec) -> float:
    """Return by how much the claimed and the measured metric may differ.

    The windows need not hold the same rows, so a difference within the tolerance says nothing. The
    error of the claim follows from its number of rows, because the event's own error is a claim.
    """
    claimed = 1.0 / math.sqrt(max(claim.rows, _MIN_CLAIMED_ROWS))
    error = math.hypot(claimed, _get_error(measured))
    return spec.tolerance + _AGREEMENT_QUANTILE * error


def _get_error(measured: VersionMetric) -> float:
    """Return the standard error; where it is unknown, the largest that so many rows can have."""
    if measured.error is not None:
        return measured.error
    return 1.0 / math.sqrt(max(measured.rows, 1))


def _find_measurement(pack: EvidencePack | None, spec: ModelSpec) -> VersionMetric | None:
    """Return the champion's metric on the newest labelled rows, or None."""
    if pack is None:
        return None
    return next(
        (
            each
            for each in pack.measurements
            if each.version == pack.champion_version and each.metric == spec.metric and each.rows
        ),
        None,
    )


def _find_reference(event: DriftEvent, pack: EvidencePack | None, spec: ModelSpec) -> float | None:
    """Return the metric that the champion must keep: the highest of the claimed and the known one.

    The registry's is of a week or a day: shorter windows have their own usual metric, which only
    the detector knows.
    """
    known: list[float] = []
    claim = event.data.performance
    if claim is not None and claim.metric == spec.metric:
        known.append(claim.reference)
    if pack is not None and pack.champion_reference is not None and spec.window >= _WEEK:
        known.append(pack.champion_reference)
    return max(known, default=None)


def _format_days(duration: timedelta) -> str:
    days = duration / timedelta(days=1)
    return f"{days:,.1f} days" if days >= 1 else f"{duration / timedelta(hours=1):.1f} hours"
