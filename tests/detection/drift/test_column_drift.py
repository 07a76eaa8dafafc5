import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tests.builders import a_window
from tests.detection.windows import make_table, profile_table
from trimtab.contracts.drift import FeatureDrift, FeatureKind, FeatureRole
from trimtab.contracts.model import Sensitivity
from trimtab.detection.drift.column_drift import measure_feature_drift
from trimtab.detection.drift.effect_sizes import compute_psi, compute_total_variation
from trimtab.detection.profiles.columns import Column
from trimtab.detection.profiles.frames import profile_column
from trimtab.detection.profiles.window_profile import ColumnProfile, WindowProfile


def window(column: ColumnProfile) -> WindowProfile:
    return WindowProfile(model="m", window=a_window(rows=column.rows), columns=(column,))


def by_name(reference: WindowProfile, current: WindowProfile) -> dict[str, FeatureDrift]:
    return {drift.name: drift for drift in measure_feature_drift(reference, current)}


def test_a_window_from_the_same_distribution_shows_no_drift() -> None:
    reference = profile_table(make_table(5000))

    drifts = by_name(reference, profile_table(make_table(2000, seed=1), like=reference))

    assert set(drifts) == {"price", "shop", "revenue", "prediction"}
    assert not any(drift.drifted for drift in drifts.values())


def test_a_shifted_number_drifts_and_the_others_do_not() -> None:
    reference = profile_table(make_table(5000))
    shifted = make_table(2000, seed=1)
    shifted["price"] *= 1.6

    drifts = measure_feature_drift(reference, profile_table(shifted, like=reference))

    assert [drift.name for drift in drifts if drift.drifted] == ["price"]
    assert drifts[0].name == "price"
    assert drifts[0].test == "ks"
    assert drifts[0].mean_current == pytest.approx(1.6 * 20, rel=0.05)


def test_a_changed_mix_of_categories_drifts() -> None:
    reference = profile_table(make_table(5000))
    mix = np.random.default_rng(1).choice(["north", "south", "east"], 2000, p=[0.7, 0.2, 0.1])

    drift = by_name(reference, profile_table(make_table(2000, shop=mix), like=reference))["shop"]

    assert drift.drifted
    assert drift.test == "chi2"


def test_a_tiny_change_in_many_rows_is_significant_and_no_drift() -> None:
    reference = profile_table(make_table(300_000))
    nudged = make_table(300_000, seed=1)
    nudged["price"] *= 1.02

    drift = by_name(reference, profile_table(nudged, like=reference))["price"]

    assert drift.p_value is not None
    assert drift.p_value < 1e-6
    assert not drift.drifted


def test_a_large_change_in_few_rows_may_be_chance_and_is_no_drift() -> None:
    reference = profile_table(make_table(5000))
    few = profile_table(make_table(31, seed=3), like=reference)

    drifts = measure_feature_drift(reference, few, sensitivity=Sensitivity(psi=0.05))

    assert any(drift.psi >= 0.05 for drift in drifts)
    assert not any(drift.drifted for drift in drifts)


def test_among_many_columns_chance_alone_raises_no_alarm() -> None:
    reference = profile_table(make_table(1000))
    alarms = [
        drift.name
        for seed in range(1, 60)
        for drift in measure_feature_drift(
            reference, profile_table(make_table(400, seed=seed), like=reference)
        )
        if drift.drifted
    ]

    assert alarms == []


def test_the_binned_test_agrees_with_the_test_on_rows() -> None:
    before, now = make_table(4000), make_table(2000, seed=1)
    now["price"] *= 1.1
    reference = profile_table(before)

    binned = by_name(reference, profile_table(now, like=reference))["price"].statistic

    assert binned == pytest.approx(stats.ks_2samp(before["price"], now["price"]).statistic, rel=0.2)


def test_target_and_predictions_are_compared_in_their_roles() -> None:
    reference = profile_table(make_table(3000))
    current = make_table(2000, seed=1)

    drifts = by_name(
        reference, profile_table(current, like=reference, predictions=current["revenue"] * 2)
    )

    assert drifts["prediction"].role is FeatureRole.PREDICTION
    assert drifts["prediction"].drifted
    assert drifts["revenue"].role is FeatureRole.TARGET
    assert not drifts["revenue"].drifted


@pytest.mark.parametrize(("points", "drifted"), [(2, False), (6, True), (10, True)])
def test_labels_drift_from_five_points_if_their_threshold_is_calibrated(
    points: int, *, drifted: bool
) -> None:
    before, now = ([*["1"] * positive, *["0"] * (5000 - positive)] for positive in
                   (2500, 2500 + 50 * points))  # fmt: skip
    column = Column(name="y", kind=FeatureKind.CATEGORICAL, role=FeatureRole.TARGET)
    first = profile_column(pd.Series(before), column)
    both = [window(each) for each in (first, profile_column(pd.Series(now), column, like=first))]

    (calibrated,) = measure_feature_drift(*both, thresholds={"y": 0.003})
    (unknown,) = measure_feature_drift(*both)

    assert (calibrated.threshold, calibrated.drifted) == (0.01, drifted)
    assert (unknown.threshold, unknown.drifted) == (0.1, False)


def test_a_calibrated_threshold_applies_if_it_is_above_the_floor() -> None:
    reference = profile_table(make_table(3000))
    current = profile_table(make_table(2000, seed=1), like=reference)

    found = measure_feature_drift(reference, current, thresholds={"revenue": 0.7, "price": 0.05})

    assert {each.name: each.threshold for each in found if each.threshold != 0.1} == {
        "revenue": 0.7
    }


@given(st.lists(st.floats(0.001, 1.0), min_size=2, max_size=12), st.data())
def test_the_stability_index_is_at_least_four_times_the_squared_total_variation(
    shares: list[float], data: st.DataObject
) -> None:
    others = data.draw(st.lists(st.floats(0.001, 1.0), min_size=len(shares), max_size=len(shares)))
    before, now = (np.maximum(np.array(each) / sum(each), 0.001) for each in (shares, others))

    bound = 4 * compute_total_variation(before / before.sum(), now / now.sum()) ** 2
    assert compute_psi(before / before.sum(), now / now.sum()) >= 0.99 * bound - 1e-9


def test_a_column_without_values_is_not_compared() -> None:
    reference = profile_table(make_table(3000))

    assert "price" not in by_name(
        reference, profile_table(make_table(2000, price=None), like=reference)
    )


bin_counts = st.lists(st.integers(0, 1000), min_size=2, max_size=12).filter(any)


@given(bin_counts, st.data())
def test_the_stability_index_is_a_finite_symmetric_distance(
    counts: list[int], data: st.DataObject
) -> None:
    others = data.draw(
        st.lists(st.integers(0, 1000), min_size=len(counts), max_size=len(counts)).filter(any)
    )
    one = np.array(counts) / sum(counts)
    other = np.array(others) / sum(others)

    assert compute_psi(one, one) == 0.0
    assert 0.0 <= compute_psi(one, other) < 20.0
    assert compute_psi(one, other) == pytest.approx(compute_psi(other, one))
