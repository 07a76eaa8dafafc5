import subprocess
import sys

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from tests.detection.columns import profile_values
from trimtab.contracts.drift import FeatureKind
from trimtab.contracts.model import Correction
from trimtab.detection.drift.significance import (
    adjust_p_values,
    run_chi_square_test,
    run_kolmogorov_smirnov_test,
)
from trimtab.detection.profiles.columns import Column

NUMBER = Column(name="x", kind=FeatureKind.NUMERIC)


@pytest.mark.parametrize("step", [0.0, 0.02, 0.05, 0.1])
@pytest.mark.parametrize("rows", [200, 2000, 20_000])
def test_the_kolmogorov_smirnov_test_agrees_with_scipy(rows: int, step: float) -> None:
    random = np.random.default_rng(rows)
    before = random.integers(0, 100, 3 * rows)
    now = np.minimum(random.integers(0, 100, rows) + (random.random(rows) < 10 * step), 100)

    reference = profile_values(NUMBER, before)
    found = run_kolmogorov_smirnov_test(reference, profile_values(NUMBER, now, like=reference))

    expected = stats.ks_2samp(before, now, method="asymp")
    assert found.statistic == pytest.approx(expected.statistic, abs=1e-12)
    assert found.p_value == pytest.approx(expected.pvalue, rel=0.02, abs=1e-4)


def test_equal_columns_have_a_p_value_of_one() -> None:
    reference = profile_values(NUMBER, np.arange(1000))

    assert run_kolmogorov_smirnov_test(reference, reference)[1:] == (0.0, 1.0)


counts = st.lists(st.integers(5, 5000), min_size=2, max_size=20)


@settings(deadline=None)
@given(counts, st.data())
def test_the_chi_square_test_agrees_with_scipy(before: list[int], data: st.DataObject) -> None:
    now = data.draw(st.lists(st.integers(5, 5000), min_size=len(before), max_size=len(before)))
    table = np.array([before, now], dtype="float64")
    fair = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    assume((fair >= 5).all())

    found, expected = run_chi_square_test(table), stats.chi2_contingency(table, correction=False)

    assert found.statistic == pytest.approx(expected.statistic, rel=1e-9, abs=1e-9)
    assert found.p_value == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-300)


def test_rare_categories_are_pooled() -> None:
    table = np.array([[500, 400, 3, 2, 1, 0], [450, 420, 0, 3, 4, 1]], dtype="float64")
    pooled = np.array([[500, 400, 6], [450, 420, 8]], dtype="float64")

    expected = stats.chi2_contingency(pooled, correction=False)

    assert run_chi_square_test(table)[1:] == pytest.approx((expected.statistic, expected.pvalue))


@pytest.mark.parametrize("table", [[[50, 0], [70, 0]], [[2, 1], [1, 2]], [[900], [30]]])
def test_one_category_cannot_differ(table: list[list[int]]) -> None:
    assert run_chi_square_test(np.array(table, dtype="float64"))[1:] == (0.0, 1.0)


p_values = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=40)


@settings(deadline=None)
@given(p_values)
def test_benjamini_hochberg_agrees_with_scipy(raw: list[float]) -> None:
    benjamini_hochberg = adjust_p_values(raw, Correction.BENJAMINI_HOCHBERG)

    np.testing.assert_allclose(benjamini_hochberg, stats.false_discovery_control(raw))
    assert (adjust_p_values(raw, Correction.HOLM) >= np.asarray(benjamini_hochberg) - 1e-12).all()


@pytest.mark.parametrize("count", [1, 2, 40])
def test_adjusted_p_values_agree_with_statsmodels(count: int) -> None:
    raw = np.random.default_rng(count).beta(0.3, 2.0, count)
    raw[: count // 4] = raw[0]  # ties

    benjamini_hochberg = multipletests(raw, method="fdr_bh")[1]
    holm = multipletests(raw, method="holm")[1]

    np.testing.assert_allclose(
        adjust_p_values(list(raw), Correction.BENJAMINI_HOCHBERG), benjamini_hochberg
    )
    np.testing.assert_allclose(adjust_p_values(list(raw), Correction.HOLM), holm)


def test_no_p_values_give_no_adjusted_ones() -> None:
    assert (
        adjust_p_values([], Correction.HOLM)
        == adjust_p_values([], Correction.BENJAMINI_HOCHBERG)
        == ()
    )


def test_comparing_tables_imports_no_slow_library() -> None:
    code = (
        "import sys, trimtab.detection.drift.table_comparison; "
        "print([name for name in ('scipy', 'statsmodels', 'pandas', 'ibis', 'sklearn')"
        " if name in sys.modules])"
    )

    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert found.stdout.strip() == "[]"
