"""Computes the likelihood of each root cause from the signals and the likelihood table.

Signals are treated as independent given the cause (naive Bayes). One that is not certain counts in
part: its value is the weight of having seen it, the rest that of not having seen it (soft
evidence; Pearl, 1988). Signals often agree for one reason, so that the sum overstates: the
confidence is calibrated on labelled incidents afterwards.
"""

import math
from collections.abc import Mapping
from typing import Final

from policies.judgement.likelihood_table import PRIOR, TABLE, Row
from policies.judgement.signals import Signal, Signals
from trimtab.contracts.deliberation import Cause

_MIN_SIGNAL_OF_SECOND: Final = 0.7
"""Signal from which a further cause is named beside the first."""
_OWN_SIGNALS: Final[dict[Cause, Signal]] = {
    Cause.UNIT_CHANGE: Signal.UNIT,
    Cause.MISSING_VALUES: Signal.MISSING,
    Cause.SCHEMA_CHANGE: Signal.SCHEMA,
    Cause.STALE_DATA: Signal.STALE,
    Cause.PARTIAL_OUTAGE: Signal.OUTAGE,
    Cause.BROKEN_LABELS: Signal.LABELS,
    Cause.BAD_RELEASE: Signal.RELEASED,
    Cause.NEW_SEGMENT: Signal.NEW_ROWS,
}
"""Signal that is a cause's own: no other cause explains it."""
_MAX_ALSO: Final = 2


def compute_likelihoods(signals: Signals) -> dict[Cause, float]:
    """Return the likelihood of each cause, the most likely first; they sum to 1."""
    logs = {cause: _compute_log_likelihood(cause, signals) for cause in Cause}
    highest = max(logs.values())
    weights = {cause: math.exp(value - highest) for cause, value in logs.items()}
    total = sum(weights.values())
    ranked = sorted(weights, key=lambda cause: -weights[cause])
    return {cause: weights[cause] / total for cause in ranked}


def find_further_causes(signals: Signals, first: Cause) -> tuple[Cause, ...]:
    """Return the causes that are at work beside the first: those whose own signal is clear."""
    found = {
        cause: signals.get(signal, 0.0)
        for cause, signal in _OWN_SIGNALS.items()
        if cause is not first and signals.get(signal, 0.0) >= _MIN_SIGNAL_OF_SECOND
    }
    return tuple(sorted(found, key=lambda cause: -found[cause])[:_MAX_ALSO])


def _compute_log_likelihood(cause: Cause, signals: Mapping[Signal, float]) -> float:
    evidence = sum(_weigh_row(row, cause, signals[row.signal]) for row in TABLE
                   if row.signal in signals)  # fmt: skip
    return math.log(PRIOR[cause]) + evidence


def _weigh_row(row: Row, cause: Cause, value: float) -> float:
    expected = row.expected.get(cause, row.otherwise)
    return value * math.log(expected) + (1.0 - value) * math.log(1.0 - expected)
