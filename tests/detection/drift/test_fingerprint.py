from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from tests.builders import NOW, a_feature_drift, a_finding, a_spec
from tests.detection.windows import make_table, profile_table
from trimtab.contracts.drift import (
    FeatureDrift,
    FeatureKind,
    MultivariateDrift,
    PerformanceChange,
    QualityFault,
    Severity,
)
from trimtab.contracts.monitoring import Announcement, Suppression, SuppressionReason
from trimtab.detection.drift.fingerprint import (
    build_announcement,
    find_open_fault,
    find_suppression,
)

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


def list_changes(**fields: Any) -> tuple[str, ...]:
    finding = a_finding(**{"features": (), "performance": None, **fields})
    return build_announcement(finding, a_spec(), event_id="e", as_of=NOW).moves


def test_the_same_drift_every_hour_is_announced_once_per_cooldown() -> None:
    steady = [announcement(hour) for hour in range(30)]

    assert list(announced(steady)) == [0, 24]
    assert list(announced(steady, timedelta(hours=6))) == [0, 6, 12, 18, 24]
    assert list(announced(steady, timedelta(0))) == list(range(30))


def test_more_severe_drift_is_announced_at_once_and_less_severe_is_not() -> None:
    severities = [Severity.MEDIUM] * 3 + [Severity.HIGH] * 3 + [Severity.LOW] * 3
    story = [announcement(hour, severity=each) for hour, each in enumerate(severities)]

    assert list(announced(story)) == [0, 3]


def test_another_column_is_announced_at_once() -> None:
    story = [announcement(hour) for hour in range(3)]
    story += [announcement(hour, "price up", "shop to north") for hour in range(3, 6)]

    assert list(announced(story)) == [0, 3]


def test_columns_that_drift_every_other_hour_are_not_announced_again() -> None:
    both, one = ("price up", "shop to north"), ("price up",)
    story = [announcement(hour, *(one if hour % 2 else both)) for hour in range(24)]

    assert list(announced(story)) == [0]


def test_changes_announced_by_two_events_are_not_announced_again_together() -> None:
    first = announcement(0, "price up", severity=Severity.HIGH)
    second = announcement(1, "shop to north", severity=Severity.LOW)

    assert find_suppression(
        announcement(2, "price up", "shop to north"), [first, second], cooldown=DAY
    )


def test_an_event_about_another_change_does_not_suppress_more_severe_drift() -> None:
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
def test_only_the_same_drift_of_an_earlier_window_suppresses(change: dict[str, Any]) -> None:
    earlier = announcement(0).model_copy(update=change)

    assert not find_suppression(announcement(1), [earlier], cooldown=DAY)


def test_a_suppression_names_the_event_and_the_next_possible_time() -> None:
    found = find_suppression(announcement(1), [announcement(0)], cooldown=DAY)

    assert found == Suppression(
        reason=SuppressionReason.ALREADY_ANNOUNCED,
        event_id="event-0",
        severity=Severity.MEDIUM,
        until=NOW + DAY,
    )


def test_changes_have_a_direction() -> None:
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

    found = list_changes(features=features, quality=faults, performance=degraded, multivariate=rows)
    assert found == (
        "age down", "nulls age", "performance", "price up", "rows as a whole", "shop moved",
    )  # fmt: skip


def test_a_changed_category_names_the_one_that_grew_most() -> None:
    before = profile_table(make_table())
    north = np.where(np.arange(2000) % 2, "north", make_table()["shop"])
    now = profile_table(make_table(shop=north), like=before)
    finding = a_finding(features=(a_feature_drift("shop", kind=FeatureKind.CATEGORICAL),))

    found = build_announcement(finding, a_spec(), event_id="e", as_of=NOW, profiles=(before, now))

    assert "shop to north" in found.moves


def test_a_mean_that_hardly_changed_has_no_direction() -> None:
    before = profile_table(make_table())
    mean = before.find("price")
    assert mean is not None
    assert mean.mean is not None
    drift = FeatureDrift(
        name="price", kind=FeatureKind.NUMERIC, psi=0.5, jensen_shannon=0.3, drifted=True,
        mean_reference=mean.mean, mean_current=mean.mean + 0.01,
    )  # fmt: skip

    found = build_announcement(
        a_finding(features=(drift,)), a_spec(), event_id="e", as_of=NOW, profiles=(before, before)
    )

    assert "price moved" in found.moves


def test_long_names_are_shortened_and_stay_unique() -> None:
    features = tuple(a_feature_drift("x" * 120 + str(number)) for number in range(100))

    found = list_changes(features=features)

    assert len(found) == 100
    assert max(map(len, found)) <= 30


def test_the_fingerprint_depends_on_model_champion_and_changes_only() -> None:
    same = build_announcement(a_finding(severity=Severity.LOW), a_spec(), event_id="f", as_of=NOW)
    first = build_announcement(a_finding(), a_spec(), event_id="e", as_of=NOW)
    promoted = build_announcement(
        a_finding(champion_version="2"), a_spec(), event_id="e", as_of=NOW
    )

    assert first.fingerprint == same.fingerprint
    assert first.fingerprint != promoted.fingerprint


def judge_weeks(weeks: list[tuple[str, ...]], *severities: Severity) -> list[str]:
    """Return what becomes of faulty weeks: "event", "note", or "" for one without a fault."""
    kept: list[Announcement] = []
    outcomes = []
    for week, faults in enumerate(weeks):
        severity = severities[week] if severities else Severity.HIGH
        as_of = NOW + week * 7 * DAY
        found = announcement(
            week, *faults, faults=faults, severity=severity, as_of=as_of, event_id=f"week-{week}"
        )
        note = find_open_fault(found, kept, since=as_of - 10.5 * DAY) if faults else None
        outcomes.append("note" if note else "event" if faults else "")
        kept += [note or found] if faults else []
    return outcomes


def test_a_fault_that_stays_is_announced_once() -> None:
    assert judge_weeks([("nulls age",)] * 4) == ["event", "note", "note", "note"]


def test_a_fault_that_comes_back_is_a_new_one() -> None:
    weeks: list[tuple[str, ...]] = [("nulls age",), ("nulls age",), (), ("nulls age",)]

    assert judge_weeks(weeks) == ["event", "note", "", "event"]


def test_a_further_column_or_a_higher_severity_is_announced() -> None:
    assert judge_weeks([("nulls age",), ("constant price", "nulls age")]) == ["event", "event"]
    assert judge_weeks([("constant price", "nulls age"), ("nulls age",)]) == ["event", "note"]
    assert judge_weeks([("nulls age",)] * 2, Severity.HIGH, Severity.CRITICAL) == ["event"] * 2


def test_a_note_names_the_first_event_and_does_not_prolong_its_cooldown() -> None:
    first = announcement(0, "nulls age", faults=("nulls age",))
    note = find_open_fault(
        announcement(1, "nulls age", "performance", faults=("nulls age",)), [first], since=NOW - DAY
    )

    assert note is not None
    assert (note.event_id, note.moves) == ("event-0", ("nulls age",))
    assert not find_suppression(announcement(2, "nulls age"), [note], cooldown=DAY)


def test_a_loss_that_no_fault_explains_leaves_no_fault_open() -> None:
    fault = QualityFault(kind="nulls", column="age", detail="some", fraction=0.1)
    degraded = PerformanceChange(metric="r2", reference=0.9, current=0.5, rows=9, degraded=True)

    def build(*, lost: bool, corrupt: bool) -> tuple[str, ...]:
        finding = a_finding(
            quality=(fault.model_copy(update={"corrupt": corrupt}),),
            performance=degraded if lost else None,
        )
        return build_announcement(finding, a_spec(), event_id="e", as_of=NOW).faults

    assert build(lost=False, corrupt=False) == ("nulls age",)
    assert build(lost=True, corrupt=True) == ("nulls age",)
    assert build(lost=True, corrupt=False) == ()
