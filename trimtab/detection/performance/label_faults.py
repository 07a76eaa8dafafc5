"""Finds faults of the labels themselves: they cannot be learnt, are inverted, or have not come."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from trimtab.contracts.drift import PerformanceChange, QualityFault
from trimtab.contracts.window_signals import Learnability
from trimtab.detection.drift.quality_faults import build_fault

MAX_UNLEARNABLE_SHARE: Final = 0.3
"""Share of the reference's skill below which the labels of a window cannot be learnt."""
MIN_LEARNABLE_SKILL: Final = 0.05
"""Skill beyond a trivial model that the reference needs to show that labels can be learnt."""
MAX_SKILL_LEFT: Final = 0.5
"""Share of its skill that the champion keeps at most on labels that are broken."""
MIN_INVERTED_SHARE: Final = 0.6
"""Share of the reference's skill that inverted labels would show."""
MIN_LATE_SHARE: Final = 0.5
"""Share of the labels that are due from which missing ones count as late."""
ERRORS_TO_BE_SURE: Final = 2.0
"""Standard errors that a measurement must lie beyond a limit."""


class DueLabels(NamedTuple):
    """The labels of a window that should have come by now."""

    rows: int
    """Rows that are older than the label delay."""
    missing: int
    """Those of them without a label."""
    missing_before: float
    """Share of rows without a label in the reference."""


def find_label_faults(
    target: str,
    *,
    due: DueLabels,
    performance: PerformanceChange | None,
    learnability: Learnability | None,
) -> tuple[QualityFault, ...]:
    """Return the faults of a window's labels; none where labels are only harder to predict."""
    return (
        *_find_late_labels(target, due),
        *_find_inverted_labels(target, performance),
        *_find_unlearnable_labels(target, performance, learnability),
    )


def merge_label_faults(
    faults: Sequence[QualityFault], extra: Sequence[QualityFault]
) -> tuple[QualityFault, ...]:
    """Return all faults, the corrupting ones first; labels that are late are not missing values."""
    late = {fault.column for fault in extra if fault.kind == "late_labels"}
    kept = [fault for fault in faults if not (fault.kind == "nulls" and fault.column in late)]
    return tuple(sorted([*extra, *kept], key=lambda fault: (not fault.corrupt, -fault.fraction)))


def are_labels_learnable(learnability: Learnability) -> bool | None:
    """Return whether a window's labels can be learnt; None if that cannot be told."""
    if learnability.reference is None:
        return None
    usual = learnability.reference - learnability.trivial
    skill = learnability.value - learnability.trivial
    margin = ERRORS_TO_BE_SURE * (learnability.error or 0.0)
    if usual < MIN_LEARNABLE_SKILL:
        return None
    if skill + margin < MAX_UNLEARNABLE_SHARE * usual:
        return False
    return True if skill - margin > MAX_UNLEARNABLE_SHARE * usual else None


def _find_late_labels(target: str, due: DueLabels) -> Iterator[QualityFault]:
    share = due.missing / max(due.rows, 1)
    if share >= MIN_LATE_SHARE and share - due.missing_before >= MIN_LATE_SHARE / 2.0:
        detail = (
            f"{due.missing} of {due.rows} labels that are due have not come"
            f" ({due.missing_before:.1%} are missing in the reference)"
        )
        yield build_fault("late_labels", target, detail, share)


def _find_inverted_labels(
    target: str, performance: PerformanceChange | None
) -> Iterator[QualityFault]:
    """Yield a fault if scores rank the classes the wrong way round as well as they did before."""
    if performance is None or performance.metric == "r2" or performance.trivial != 0.5:  # noqa: PLR2004
        return
    usual = performance.reference - performance.trivial
    inverted = performance.trivial - performance.current
    margin = ERRORS_TO_BE_SURE * (performance.error or 0.0)
    if inverted > margin and usual > MIN_LEARNABLE_SKILL and inverted > MIN_INVERTED_SHARE * usual:
        detail = (
            f"{performance.metric} is {performance.current:.3f}, and would be"
            f" {1.0 - performance.current:.3f} with the classes exchanged"
            f" ({performance.reference:.3f} before)"
        )
        yield _mark_corrupt("flipped_labels", target, detail)


def _find_unlearnable_labels(
    target: str, performance: PerformanceChange | None, learnability: Learnability | None
) -> Iterator[QualityFault]:
    """Yield a fault if neither the champion nor a new model of the window's rows predicts them."""
    if performance is None or learnability is None or performance.trivial is None:
        return
    usual = performance.reference - performance.trivial
    left = performance.current - performance.trivial
    lost = performance.degraded and left < MAX_SKILL_LEFT * usual
    if lost and are_labels_learnable(learnability) is False:
        detail = (
            f"a model of these rows reaches {learnability.value:.3f} on other rows of the window"
            f" ({learnability.reference:.3f} in the reference, {learnability.trivial:g} without"
            " any features)"
        )
        yield _mark_corrupt("unlearnable_labels", target, detail)


def _mark_corrupt(kind: str, target: str, detail: str) -> QualityFault:
    return QualityFault.model_validate(
        {
            "kind": kind,
            "column": target,
            "detail": detail,
            "fraction": 1.0,
            "corrupt": True,
            "gravity": 1.0,
        }
    )
