import numpy as np
import pytest
from scipy import stats

from trimtab.detection.calibration.false_alarm_budget import (
    compute_alpha_per_check,
)


@pytest.mark.parametrize("checks", [7, 168])
@pytest.mark.parametrize("cooldown", [24, 168])
def test_the_budget_holds_however_often_overlapping_windows_are_checked(
    checks: int, cooldown: int
) -> None:
    weeks, allowed = 52 * 200, 0.02
    hours = np.random.default_rng(2).normal(size=168 * weeks)
    week = np.convolve(hours, np.ones(168), "valid")[:: 168 // checks] / 168**0.5
    alpha = compute_alpha_per_check(allowed, checks=checks, repeats=168 / cooldown)
    announced, last = 0, -cooldown
    alarms = np.flatnonzero(week > stats.norm.isf(alpha)) * (168 // checks)
    for hour in alarms.tolist():
        if hour - last >= cooldown:
            announced, last = announced + 1, hour

    assert 0.999 * allowed / checks < alpha < allowed
    assert 0.2 * allowed < announced / weeks < 1.2 * allowed


def test_windows_that_do_not_overlap_have_the_whole_alpha() -> None:
    assert compute_alpha_per_check(0.01, checks=1, repeats=1) == 0.01
    assert compute_alpha_per_check(0.5, checks=168, repeats=1) >= 0.5 / 168
