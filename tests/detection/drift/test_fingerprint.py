from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from tests.builders import NOW, a_feature_drift, a_finding, a_spec
from tests.detection.windows import profile, table
from trimtab.contracts.drift import (
    FeatureDrift,
    FeatureKind,
    MultivariateDrift,
    PerformanceChange,
    QualityFault,
    Severity,
)
from trimtab.contracts.monitoring import Announcement, Suppression, SuppressionReason
from trimtab.detection.drift.fingerprint import build_announcement, find_suppression

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def announcement(hour: int = 0, *moves: str, **changes: Any) -> Announcement:
    fields: dict[str, Any] = {
        "event_id": f"event-{hour}",
        "subject": "a-model",
        "moves": moves or ("price up",),
        "severity": Severity.MEDIUM,
        "as_of": NOW + hour * HOUR,
    }
    return Announcement(**{**fields, **changes})


def announced(each_hour: list[Announcement], cooldown: timedelta = DAY) -> Iterator[int]:
    """The hours whose drift is announced, each with what went before it on record."""
    kept: list[Announcement] = []
    for hour, found in enumerate(each_hour):
        if not find_suppression(found, kept, cooldown=cooldown):
            kept.append(found)
            yield hour


def moves(**changes: Any) -> tuple[str, ...]:
    finding = a_finding(**{"features": (), "performance": None, **changes})
    return build_announcement(finding, a_spec(), event_id="e", as_of=NOW).moves


def test_the_same_drift_every_hour_is_announced_once_a_cooldown() -> None:
    steady = [announcement(hour) for hour in range(30)]

    assert list(announced(steady)) == [0, 24]
    assert list(announced(steady, timedelta(hours=6))) == [0, 6, 12, 18, 24]
    assert list(announced(steady, timedelta(0))) == list(range(30))


def test_graver_drift_is_announced_at_once_and_milder_is_not() -> None:
    severities = [Severity.MEDIUM] * 3 + [Severity.HIGH] * 3 + [Severity.LOW] * 3
    story = [announcement(hour, severity=each) for hour, each in enumerate(severities)]

    assert list(announced(story)) == [0, 3]


def test_another_column_is_announced_at_once() -> None:
    story = [announcement(hour) for hour in range(3)]
    story += [announcement(hour, "price up", "shop to north") for hour in range(3, 6)]

    assert list(announced(story)) == [0, 3]


def test_columns_that_flicker_in_and_out_are_no_news() -> None:
    both, one = ("price up", "shop to north"), ("price up",)
    story = [announcement(hour, *(one if hour % 2 else both)) for hour in range(24)]

    assert list(announced(story)) == [0]


def test_what_two_events_announced_is_not_announced_as_one() -> None:
    first = announcement(0, "price up", severity=Severity.HIGH)
    second = announcement(1, "shop to north", severity=Severity.LOW)

    assert find_suppression(
        announcement(2, "price up", "shop to north"), [first, second], cooldown=DAY
    )


def test_an_event_about_something_else_does_not_keep_a_graver_one_quiet() -> None:
    other = announcement(0, "price up", severity=Severity.CRITICAL)
    same = announcement(1, "shop to north", severity=Severity.LOW)

    assert not find_suppression(announcement(2, "shop to north"), [other, same], cooldown=DAY)


@pytest.mark.parametrize(
    "change",
    [
        {"moves": ("price down",)},
        {"subject": "another champion"},
        {"event_id": "event-1"},
        {"as_of": NOW + 2 * HOUR},
    ],
    ids=["the other way", "of another champion", "the event itself", "of a later window"],
)
def test_only_the_same_of_an_earlier_window_keeps_quiet(change: dict[str, Any]) -> None:
    earlier = announcement(0).model_copy(update=change)

    assert not find_suppression(announcement(1), [earlier], cooldown=DAY)


def test_the_reason_names_the_event_and_when_the_next_may_come() -> None:
    found = find_suppression(announcement(1), [announcement(0)], cooldown=DAY)

    assert found == Suppression(
        reason=SuppressionReason.ALREADY_ANNOUNCED,
        event_id="event-0",
        severity=Severity.MEDIUM,
        until=NOW + DAY,
    )


def test_moves_tell_what_is_out_of_order_and_in_which_direction() -> None:
    features = (
        a_feature_drift("price", mean_reference=1.0, mean_current=2.0),
        a_feature_drift("age", mean_reference=2.0, mean_current=1.0),
        a_feature_drift("shop", kind=FeatureKind.CATEGORICAL),
        a_feature_drift("calm", drifted=False),
    )
    faults = (
        QualityFault(kind="nulls", column="age", detail="many", corrupt=True),
        QualityFault(kind="range", column="age", detail="one row", fraction=0.001),
    )
    degraded = PerformanceChange(metric="r2", reference=0.9, current=0.5, rows=9, degraded=True)
    rows = MultivariateDrift(auc=0.9, low=0.8, high=1.0, rows=900, drifted=True)

    assert moves(features=features, quality=faults, performance=degraded, multivariate=rows) == (
        "age down", "nulls age", "performance", "price up", "rows as a whole", "shop moved",
    )  # fmt: skip


def test_a_category_is_told_by_the_one_that_gained_most() -> None:
    before = profile(table())
    north = np.where(np.arange(2000) % 2, "north", table()["shop"])
    now = profile(table(shop=north), like=before)
    finding = a_finding(features=(a_feature_drift("shop", kind=FeatureKind.CATEGORICAL),))

    told = build_announcement(finding, a_spec(), event_id="e", as_of=NOW, profiles=(before, now))

    assert "shop to north" in told.moves


def test_a_mean_that_hardly_moved_has_no_direction() -> None:
    before = profile(table())
    mean = before.find("price")
    assert mean is not None
    assert mean.mean is not None
    drift = FeatureDrift(
        name="price", kind=FeatureKind.NUMERIC, psi=0.5, jensen_shannon=0.3, drifted=True,
        mean_reference=mean.mean, mean_current=mean.mean + 0.01,
    )  # fmt: skip

    told = build_announcement(
        a_finding(features=(drift,)), a_spec(), event_id="e", as_of=NOW, profiles=(before, before)
    )

    assert "price moved" in told.moves


def test_long_names_stay_short_and_apart() -> None:
    features = tuple(a_feature_drift("x" * 120 + str(number)) for number in range(100))

    told = moves(features=features)

    assert len(told) == 100
    assert max(map(len, told)) <= 30


def test_the_fingerprint_is_of_model_champion_and_moves_alone() -> None:
    same = build_announcement(a_finding(severity=Severity.LOW), a_spec(), event_id="f", as_of=NOW)
    first = build_announcement(a_finding(), a_spec(), event_id="e", as_of=NOW)
    promoted = build_announcement(
        a_finding(champion_version="2"), a_spec(), event_id="e", as_of=NOW
    )

    assert first.fingerprint == same.fingerprint
    assert first.fingerprint != promoted.fingerprint
