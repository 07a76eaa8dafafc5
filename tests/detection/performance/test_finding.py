import pytest

from tests.detection.windows import make_spec, make_table, profile_table
from trimtab.contracts.drift import PerformanceChange, Severity
from trimtab.detection.performance.finding import find_drift, should_publish
from trimtab.detection.performance.performance_impact import PerformanceImpact

REFERENCE = profile_table(make_table(6000))


def performance(current: float) -> PerformanceChange:
    return PerformanceChange(
        metric="r2", reference=0.9, current=current, rows=2000, degraded=current < 0.88
    )


def test_a_window_like_the_reference_is_no_finding() -> None:
    current = profile_table(make_table(2000, seed=1), like=REFERENCE)

    assert find_drift(make_spec(), REFERENCE, current=current, performance=performance(0.9)) is None


def test_a_degraded_metric_is_a_finding_though_no_column_moved() -> None:
    current = profile_table(make_table(2000, seed=1), like=REFERENCE)

    finding = find_drift(make_spec(), REFERENCE, current=current, performance=performance(0.85))

    assert finding is not None
    assert finding.drifted == ()
    assert finding.severity is Severity.HIGH


def test_a_drifted_column_is_a_finding_though_the_metric_holds() -> None:
    frame = make_table(2000, seed=1)
    frame["price"] += 8.0

    finding = find_drift(
        make_spec(),
        REFERENCE,
        current=profile_table(frame, like=REFERENCE),
        performance=performance(0.9),
    )

    assert finding is not None
    assert [feature.name for feature in finding.drifted] == ["price"]
    assert finding.severity is Severity.LOW


def test_a_corrupt_window_is_a_finding_without_any_label() -> None:
    current = profile_table(make_table(2000, seed=1, price=None), like=REFERENCE)

    finding = find_drift(make_spec(), REFERENCE, current=current, performance=None)

    assert finding is not None
    assert finding.corrupt
    assert finding.severity is Severity.HIGH


def test_a_few_dirty_rows_are_no_finding() -> None:
    frame = make_table(2000, seed=1)
    frame.loc[:5, "revenue"] = -8.0

    current = profile_table(frame, like=REFERENCE)

    assert find_drift(make_spec(), REFERENCE, current=current, performance=performance(0.9)) is None


def test_too_few_rows_are_judged_by_their_number_only() -> None:
    current = profile_table(make_table(199, price=None), like=REFERENCE)

    finding = find_drift(make_spec(), REFERENCE, current=current, performance=performance(0.1))

    assert finding is not None
    assert [fault.kind for fault in finding.quality] == ["few_rows"]
    assert (finding.features, finding.performance) == ((), None)


def test_too_few_rows_are_no_finding_where_few_are_usual() -> None:
    few = profile_table(make_table(600))
    current = profile_table(make_table(190, seed=1, price=None), like=few)

    assert find_drift(make_spec(), few, current=current, performance=performance(0.1)) is None


def test_a_window_without_rows_is_the_gravest_finding() -> None:
    current = profile_table(make_table(0), like=REFERENCE)

    finding = find_drift(make_spec(), REFERENCE, current=current, performance=None)

    assert finding is not None
    assert [fault.kind for fault in finding.quality] == ["no_rows"]
    assert finding.corrupt
    assert finding.severity is Severity.CRITICAL
    assert should_publish(finding, make_spec())


def test_a_worthless_column_that_died_does_not_corrupt_the_window_and_is_not_announced() -> None:
    current = profile_table(make_table(2000, seed=1, price=None), like=REFERENCE)

    finding = find_drift(
        make_spec(),
        REFERENCE,
        current=current,
        performance=performance(0.9),
        impact=PerformanceImpact(importance={"price": 0.0005, "shop": 0.3}),
    )

    assert finding is not None
    assert [(fault.kind, fault.corrupt) for fault in finding.quality] == [("missing_column", False)]
    assert finding.quality[0].gravity == pytest.approx(0.0005 / 0.02)
    assert not should_publish(finding, make_spec())


def test_a_minor_column_that_died_does_not_hide_a_large_loss() -> None:
    current = profile_table(make_table(2000, seed=1, price=None), like=REFERENCE)

    finding = find_drift(
        make_spec(),
        REFERENCE,
        current=current,
        performance=performance(0.2),
        impact=PerformanceImpact(importance={"price": 0.03}),
    )

    assert finding is not None
    assert not finding.corrupt
    assert should_publish(finding, make_spec())
