"""Bounds that every figure and time of a drift event keeps if it is honest.

The records of `contracts.drift` accept more, because histories hold events from before there were
bounds. Whoever receives or publishes an event asks here.
"""

import math
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from trimtab.contracts.drift import (
    DriftEvent,
    DriftFinding,
    FeatureDrift,
    PerformanceChange,
    PerformanceEstimate,
    QualityFault,
    Window,
)

FIRST_YEAR: Final = 1970
LAST_YEAR: Final = 2100
MAX_WINDOW_LENGTH: Final = timedelta(days=3660)
"""Longest current window: ten years."""
MAX_ROWS: Final = 10**15
MAX_PSI: Final = 1000.0
"""Population stability index in nats; with empty bins counted as one row it stays below 50."""
MAX_FIGURE: Final = 1e12
"""Largest absolute value of any other figure but a mean."""
METRIC_BOUNDS: Final = {
    "r2": (-MAX_FIGURE, 1.0),
    "roc_auc": (0.0, 1.0),
    "balanced_accuracy": (0.0, 1.0),
}
"""Smallest and largest value of the metrics that models are judged by."""
_ROUNDING: Final = 1e-9
_MAX_NAME_LENGTH: Final = 200


def find_implausible_values(event: DriftEvent) -> tuple[str, ...]:
    """Return what in the event cannot be true: the field, its value and the bound."""
    return tuple(_check_event(event))


def _check_event(event: DriftEvent) -> Iterator[str]:
    finding = event.data
    yield from _check_year("time", event.time)
    yield from _check_window("data.reference", finding.reference)
    yield from _check_window("data.current", finding.current)
    length = finding.current.end - finding.current.start
    if length > MAX_WINDOW_LENGTH:
        yield (
            f"data.current lasts {length.days} days: a window has at most {MAX_WINDOW_LENGTH.days}"
        )
    for index, feature in enumerate(finding.features):
        yield from _check_feature(f"data.features.{index}", feature)
    for index, fault in enumerate(finding.quality):
        yield from _check_fault(f"data.quality.{index}", fault)
    yield from _check_performance(finding)
    yield from _check_names(finding)


def _check_window(path: str, window: Window) -> Iterator[str]:
    yield from _check_year(f"{path}.start", window.start)
    yield from _check_year(f"{path}.end", window.end)
    yield from _check_rows(path, window.rows)


def _check_rows(path: str, rows: int) -> Iterator[str]:
    if rows > MAX_ROWS:
        yield f"{path}.rows = {rows}: at most {MAX_ROWS:.0e} are plausible"


def _check_year(path: str, instant: datetime) -> Iterator[str]:
    if not FIRST_YEAR <= instant.year <= LAST_YEAR:
        yield f"{path} = {instant.isoformat()}: the year must be {FIRST_YEAR} to {LAST_YEAR}"


def _check_feature(path: str, feature: FeatureDrift) -> Iterator[str]:
    yield from _check_figure(f"{path}.psi", feature.psi, largest=MAX_PSI)
    for name in ("statistic", "wasserstein", "threshold", "importance", "impact"):
        yield from _check_figure(f"{path}.{name}", getattr(feature, name))
    if len(feature.test) > _MAX_NAME_LENGTH:
        yield f"{path}.test has {len(feature.test)} characters: at most {_MAX_NAME_LENGTH}"


def _check_fault(path: str, fault: QualityFault) -> Iterator[str]:
    for name in ("scale", "shift"):
        yield from _check_figure(f"{path}.{name}", getattr(fault, name))


def _check_performance(finding: DriftFinding) -> Iterator[str]:
    if finding.performance is not None:
        yield from _check_metric("data.performance", finding.performance, "current")
    if finding.estimate is not None:
        yield from _check_metric("data.estimate", finding.estimate, "estimated")
    yield from _check_figure("data.concept_loss", finding.concept_loss)
    if (found := finding.multivariate) is not None:
        yield from _check_rows("data.multivariate", found.rows)
        for name, value in found.importance.items():
            yield from _check_figure(f"data.multivariate.importance.{name}", value)


def _check_metric(
    path: str, claim: PerformanceChange | PerformanceEstimate, present: str
) -> Iterator[str]:
    smallest, largest = METRIC_BOUNDS.get(claim.metric, (-MAX_FIGURE, MAX_FIGURE))
    for name in ("reference", present):
        value = getattr(claim, name)
        if not smallest - _ROUNDING <= value <= largest + _ROUNDING:
            yield f"{path}.{name} = {value:g}: {claim.metric} is {smallest:g} to {largest:g}"
    yield from _check_figure(f"{path}.error", claim.error)
    yield from _check_rows(path, claim.rows)


def _check_figure(path: str, value: float | None, *, largest: float = MAX_FIGURE) -> Iterator[str]:
    if value is not None and not (math.isfinite(value) and abs(value) <= largest):
        yield f"{path} = {value:g}: its absolute value is at most {largest:g}"


def _check_names(finding: DriftFinding) -> Iterator[str]:
    version = finding.champion_version
    if version is not None and not 0 < len(version) <= _MAX_NAME_LENGTH:
        yield f"data.champion_version has {len(version)} characters: write 1 to {_MAX_NAME_LENGTH}"
    for name in ("reference_profile_uri", "current_profile_uri"):
        uri = getattr(finding, name)
        if uri is not None and not uri.isprintable():
            yield f"data.{name} = {uri!r:.120}: it holds characters that cannot be printed"
