"""Some measurements are worth an event although nothing drifted and nothing degraded."""

from typing import Any

import pytest

from tests.builders import a_finding
from trimtab.contracts.drift import PerformanceChange, QualityFault
from trimtab.contracts.window_signals import ShadowChallenger, WindowSignals
from trimtab.detection.drift.signal_changes import (
    has_risen_beyond_chance,
    is_worthwhile_gain,
    lacks_skill,
    list_signal_changes,
)


def change(reference: float, current: float, **fields: Any) -> PerformanceChange:
    return PerformanceChange(
        **{
            "metric": "r2", "reference": reference, "current": current, "rows": 1000,
            "error": 0.05, "degraded": False, "trivial": 0.0, **fields,
        }
    )  # fmt: skip


def challenger(gain: float, error: float | None) -> ShadowChallenger:
    return ShadowChallenger(champion=0.5, challenger=0.5 + gain, gain=gain, error=error, rows=500)


@pytest.mark.parametrize(
    ("reference", "current", "lacking"),
    [
        (-0.51, -0.4, True), (0.02, 0.03, True), (0.07, 0.07, False), (0.6, -1.0, False),
        (-0.5, 0.6, False), (0.3, 0.3, False),
    ],
)  # fmt: skip
def test_a_champion_that_was_never_better_than_trivial_lacks_skill(
    reference: float, current: float, *, lacking: bool
) -> None:
    assert lacks_skill(change(reference, current)) is lacking


def test_skill_is_unknown_without_a_trivial_metric() -> None:
    assert not lacks_skill(change(-0.5, -0.5, trivial=None))


@pytest.mark.parametrize(
    ("gain", "error", "worthwhile"),
    [(0.1, 0.02, True), (0.1, 0.05, False), (0.015, 0.001, False), (0.1, None, False)],
)
def test_a_new_model_must_be_better_beyond_tolerance_and_chance(
    gain: float, error: float | None, *, worthwhile: bool
) -> None:
    assert is_worthwhile_gain(challenger(gain, error), 0.02) is worthwhile


def test_a_new_model_without_skill_is_not_better() -> None:
    worthless = ShadowChallenger(champion=-0.9, challenger=-0.1, gain=0.8, error=0.1, rows=500)

    assert is_worthwhile_gain(worthless, 0.02)
    assert not is_worthwhile_gain(worthless, 0.02, trivial=0.0)


def test_a_metric_that_closes_most_of_the_gap_is_too_good() -> None:
    assert has_risen_beyond_chance(change(0.7, 0.99, error=0.02), tolerance=0.02)
    assert not has_risen_beyond_chance(change(0.7, 0.8, error=0.02), tolerance=0.02)
    assert not has_risen_beyond_chance(change(0.7, 0.99, error=0.02, spread=0.1), tolerance=0.02)


def test_each_of_them_is_a_change_of_its_own() -> None:
    late = QualityFault(kind="late_labels", column="revenue", detail="", fraction=0.9)
    finding = a_finding(
        performance=change(-0.5, -0.5),
        signals=WindowSignals(challenger=challenger(0.5, 0.01)),
        quality=(late,),
    )

    assert list(list_signal_changes(finding, tolerance=0.02)) == [
        "no skill", "better challenger", "late_labels revenue",
    ]  # fmt: skip
    assert list(list_signal_changes(a_finding(quality=()), tolerance=0.02)) == []
