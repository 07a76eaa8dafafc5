"""What a challenger learns from: sound windows only, and only what is newest where that serves."""

from datetime import datetime
from typing import Final

import pandas as pd

from trimtab.contracts.drift import QualityFault
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.ports import Refused
from trimtab.detection.drift.data_quality import find_faults
from trimtab.detection.performance.severity import CRITICAL_LOSS
from trimtab.detection.profiles.window_profile import WindowProfile
from trimtab.pipelines.history.profiling import profile_rows
from trimtab.pipelines.history.rows import Table, clean, row_times, rows_between
from trimtab.pipelines.history.slices import Learnable
from trimtab.pipelines.history.time_ranges import Span, earlier_windows, retraining_span
from trimtab.pipelines.learning.model_fitting import FEWEST_ROWS
from trimtab.pipelines.scoring import estimator

_QUARTER: Final = 0.75


def corrupt_windows(
    history: Table, spec: ModelSpec, as_of: datetime, *, reference: WindowProfile
) -> list[Span]:
    """Windows before the one that ends at `as_of` in whose data there are grave faults.

    That last one is the incident's own: see `refuse_corrupt`.
    """
    return [
        span
        for span in earlier_windows(spec, as_of)
        if _grave_faults(history, spec, span, reference)
    ]


def refuse_corrupt(
    history: Table, spec: ModelSpec, as_of: datetime, *, reference: WindowProfile
) -> None:
    """Raises `Refused` where the incident's own window is learnt from and its data is corrupt.

    The event may not say so: others' detectors do not look at the data's quality.
    """
    own = Span(as_of - spec.window, as_of)
    if retraining_span(spec, as_of).end <= own.start:
        return
    faults = _grave_faults(history, spec, own, reference)
    if faults:
        told = "; ".join(f"{fault.kind} {fault.column or ''}: {fault.detail}" for fault in faults)
        msg = (
            f"the window from {own.start:%Y-%m-%d %H:%M} to {own.end:%Y-%m-%d %H:%M} is corrupt"
            f" ({told:.500}): nothing is learnt from it unless a person decides so; mend the data"
            f" of {spec.dataset!r} at its source"
        )
        raise Refused(msg)


def _grave_faults(
    history: Table, spec: ModelSpec, span: Span, reference: WindowProfile
) -> list[QualityFault]:
    rows, unknown = rows_between(history, spec, span), pd.Series(dtype="object")
    profile = profile_rows(rows, spec, span=span, predictions=unknown, like=reference)
    return [fault for fault in find_faults(reference, profile, spec=spec) if fault.corrupt]


def without(history: Table, spec: ModelSpec, spans: list[Span]) -> Table:
    """The history but for what lies in the spans."""
    times = row_times(history, spec)
    inside = pd.Series(data=False, index=history.index)
    for span in spans:
        inside |= (times >= span.start) & (times < span.end)
    return history.loc[~inside]


def best_span(found: Learnable, spec: ModelSpec, *, standard: float | None, seed: int) -> Span:
    """All that may be learnt from; or the newest window alone, after an abrupt change.

    Older windows then teach what is wrong now. Otherwise they are worth having, for a part of one
    window does not hold every weekday. The change is abrupt where a model of everything, tried on
    the last quarter of the newest rows before the gate, is critically below the standard, which
    is what the champion is held to, and a model of the newest alone is better.
    """
    history, everything, newest = found
    recent = clean(rows_between(history, spec, newest), spec)
    if len(recent) < 2 * FEWEST_ROWS:
        return everything
    cut = recent[spec.timestamp].sort_values().iloc[int(_QUARTER * len(recent))].to_pydatetime()
    judged = recent[recent[spec.timestamp] >= cut]

    def tried(span: Span) -> float | None:
        return _tried(history, spec, Span(span.start, cut), judged, seed=seed)

    long = tried(everything)
    if standard is None or long is None or long >= standard - CRITICAL_LOSS * spec.tolerance:
        return everything
    short = tried(newest)
    return newest if short is not None and short > long + spec.tolerance else everything


def _tried(
    history: Table, spec: ModelSpec, span: Span, judged: Table, *, seed: int
) -> float | None:
    rows = clean(rows_between(history, spec, span), spec)
    try:
        return estimator.score(estimator.fit(rows, spec, seed=seed), judged, spec).value
    except (Refused, ValueError):
        return None  # too few rows, or one class only
