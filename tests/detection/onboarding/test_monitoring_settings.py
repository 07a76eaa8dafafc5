from datetime import timedelta

import pytest

from tests.detection.sample_tables import make_churn_table
from trimtab.detection.onboarding.inspection import propose_configuration
from trimtab.detection.onboarding.monitoring_settings import (
    choose_cooldown,
    choose_false_alarm_budget,
    choose_season,
    explain_short_reference,
)
from trimtab.detection.onboarding.proposal import InspectionRequest

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONTH = timedelta(hours=730, minutes=30)


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        (HOUR, 7 * DAY),
        (DAY, 7 * DAY),
        (7 * DAY, 364 * DAY),
        (28 * DAY, 364 * DAY),
        (MONTH, 12 * MONTH),
        (365 * DAY, 365 * DAY),
    ],
)
def test_a_season_is_a_week_or_about_a_year_in_whole_windows(
    window: timedelta, expected: timedelta
) -> None:
    assert choose_season(window) == expected
    assert not choose_season(window) % window


def test_the_budget_is_at_most_one_false_alarm_in_ten_windows() -> None:
    assert choose_false_alarm_budget(HOUR) == 12.0
    assert choose_false_alarm_budget(7 * DAY) == 5.0
    assert choose_false_alarm_budget(30 * DAY) == 1.0
    assert choose_false_alarm_budget(91 * DAY) == pytest.approx(0.4)
    assert choose_false_alarm_budget(365 * DAY) == pytest.approx(0.1)


def test_the_same_drift_is_announced_once_a_day_or_once_a_window() -> None:
    assert choose_cooldown(HOUR) == DAY
    assert choose_cooldown(7 * DAY) == 7 * DAY


def test_segments_have_few_categories_and_enough_rows() -> None:
    table = make_churn_table().assign(rare=["x"] * 19_990 + ["y"] * 10)

    proposal = propose_configuration(
        table, InspectionRequest(name="c", dataset="c", target="left", timestamp="day")
    )

    kinds = {feature.name: feature.kind for feature in proposal.spec.features}
    assert proposal.spec.segments == ("autopay", "plan")
    assert kinds["rare"].value == "categorical"


@pytest.mark.parametrize(
    ("window", "windows", "explanation"),
    [
        (7 * DAY, 3, "21 days of reference are few"),
        (7 * DAY, 12, ""),
        (HOUR, 168, ""),
        (MONTH, 3, "3 windows of reference are too few"),
        (364 * DAY, 1, ""),
    ],
)
def test_a_short_reference_comes_with_its_consequence(
    window: timedelta, windows: int, explanation: str
) -> None:
    found = explain_short_reference(window, windows * window)

    assert found.startswith(explanation)
    assert bool(found) is bool(explanation)
