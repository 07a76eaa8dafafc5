"""Decides which measurements of a finding are worth showing or announcing on their own.

They stand beside drifted columns, faults and a degraded metric: a champion without skill, a new
model that is better, labels that have not come, and a metric that rose too far to be believed.
"""

from collections.abc import Iterator
from typing import Final

from trimtab.contracts.drift import DriftFinding, PerformanceChange
from trimtab.contracts.window_signals import ShadowChallenger

ONE_SIDED_95_ERRORS: Final = 1.645
"""Standard errors beyond which a difference is significant at 5 %, one-sided."""
ERRORS_OF_A_GAIN: Final = 3.0
"""Paired standard errors that a new model must be better by: one false event in 700 windows."""
MIN_CHALLENGER_SKILL: Final = 0.1
"""Metric above that of a model without features that a new model needs to be worth an event."""
ERRORS_OF_A_RISE: Final = 4.0
"""Standard errors by which a metric must rise to be shown."""
MIN_GAP_CLOSED: Final = 0.5
"""Share of the distance to a perfect metric that a rise must cover to be shown."""
_PERFECT: Final = 1.0


def list_signal_changes(finding: DriftFinding, *, tolerance: float) -> Iterator[str]:
    """Yield a short name of each measurement that is worth an event of its own."""
    performance, signals = finding.performance, finding.signals
    if performance and lacks_skill(performance):
        yield "no skill"
    challenger = signals.challenger if signals else None
    trivial = performance.trivial if performance else None
    if challenger and is_worthwhile_gain(challenger, tolerance, trivial=trivial):
        yield "better challenger"
    for fault in finding.quality:
        if fault.kind == "late_labels":
            yield f"late_labels {fault.column or ''}".strip()


def lacks_skill(performance: PerformanceChange) -> bool:
    """Return whether the champion was never better than a model without features.

    Neither its reference nor the window, nor both together, are better beyond chance.
    """
    if performance.trivial is None:
        return False
    margin = ONE_SIDED_95_ERRORS * (performance.error or 0.0)
    before = performance.reference - performance.trivial
    now = performance.current - performance.trivial
    return before <= margin and now <= margin and before + now <= margin


def is_worthwhile_gain(
    challenger: ShadowChallenger, tolerance: float, *, trivial: float | None = None
) -> bool:
    """Return whether a new model is better by more than the tolerance and than chance explains.

    It must also be better than a model without features, if the metric of that is known.
    """
    if challenger.error is None:
        return False
    margin = ERRORS_OF_A_GAIN * challenger.error
    skilled = trivial is None or challenger.challenger - trivial > MIN_CHALLENGER_SKILL
    return skilled and challenger.gain > max(tolerance, margin)


def has_risen_beyond_chance(performance: PerformanceChange, *, tolerance: float) -> bool:
    """Return whether the metric is too good: leaked targets and replayed rows make it so."""
    rise = performance.current - performance.reference
    noise = max(performance.error or 0.0, performance.spread or 0.0)
    return (
        performance.error is not None
        and rise > max(tolerance, ERRORS_OF_A_RISE * noise)
        and rise > MIN_GAP_CLOSED * (_PERFECT - performance.reference)
    )
