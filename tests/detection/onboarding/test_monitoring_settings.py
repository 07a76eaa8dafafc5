from datetime import timedelta

import pytest

from tests.detection.sample_tables import churn
from trimtab.detection.onboarding.inspection import Question, propose
from trimtab.detection.onboarding.monitoring_settings import (
    budget,
    cooldown,
    season,
    thin_reference,
)

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
    assert season(window) == expected
    assert not season(window) % window


def test_the_budget_never_asks_for_more_false_alarms_than_one_in_ten_windows() -> None:
    assert budget(HOUR) == 12.0
    assert budget(7 * DAY) == 5.0
    assert budget(30 * DAY) == 1.0
    assert budget(91 * DAY) == pytest.approx(0.4)
    assert budget(365 * DAY) == pytest.approx(0.1)


def test_the_same_drift_is_announced_once_a_day_or_once_a_window() -> None:
    assert cooldown(HOUR) == DAY
    assert cooldown(7 * DAY) == 7 * DAY


def test_segments_have_few_categories_and_rows_enough() -> None:
    table = churn().assign(rare=["x"] * 19_990 + ["y"] * 10)

    proposal = propose(table, Question(name="c", dataset="c", target="left", timestamp="day"))

    kinds = {feature.name: feature.kind for feature in proposal.spec.features}
    assert proposal.spec.segments == ("autopay", "plan")
    assert kinds["rare"].value == "categorical"


@pytest.mark.parametrize(
    ("window", "windows", "said"),
    [
        (7 * DAY, 3, "21 days of reference are few"),
        (7 * DAY, 12, ""),
        (HOUR, 168, ""),
        (MONTH, 3, "3 windows of reference are too few"),
        (364 * DAY, 1, ""),
    ],
)
def test_who_has_a_short_reference_is_told_what_it_costs(
    window: timedelta, windows: int, said: str
) -> None:
    found = thin_reference(window, windows * window)

    assert found.startswith(said)
    assert bool(found) is bool(said)
