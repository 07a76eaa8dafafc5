"""The sentence about a column never contradicts the limits that it names."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.detection.windows import make_table, profile_table
from trimtab.contracts.comparison import ColumnTest, EffectSizes
from trimtab.detection.drift.reasons import DriftLimits, format_drift_reason

REFERENCE = profile_table(make_table(500))
CURRENT = profile_table(make_table(500, seed=1), like=REFERENCE)
COLUMNS = (REFERENCE.columns[0], CURRENT.columns[0])


def reason(psi: float, threshold: float, p: float = 0.5, alpha: float = 0.01) -> str:
    effects = EffectSizes(psi=psi, jensen_shannon=0.1)
    test = ColumnTest(name="ks", statistic=0.1, p=p, adjusted_p=p)
    limits = DriftLimits(threshold, alpha, floor=0.1, windows=12)
    return format_drift_reason(effects, test, limits=limits, columns=COLUMNS)


@pytest.mark.parametrize(
    ("psi", "threshold", "said"),
    [
        (0.314, 0.1, "PSI 0.31 is above 0.1"),
        (0.012, 0.001, "PSI 0.01 is above 0.001"),
        (0.0004, 0.0001, "PSI 0.0004 is above 0.0001"),
        (0.09999, 0.1, "PSI 0.09999 is below 0.1"),
        (0.1, 0.1, "PSI 0.10 equals 0.1"),
        (0.0, 0.0, "PSI 0.00 equals 0"),
        (0.01, 0.0, "PSI 0.01 is above 0,"),
        (4.2, 5.0, "PSI 4.20 is below 5,"),
    ],
)
def test_the_threshold_is_printed_as_it_was_given(psi: float, threshold: float, said: str) -> None:
    assert reason(psi, threshold).startswith(said)


def test_a_p_value_is_not_printed_as_the_limit_that_it_exceeds() -> None:
    assert reason(0.2, 0.1, p=0.010001).endswith("p = 0.010001, above 0.01")
    assert "p = 0.0077" in reason(0.2, 0.1, p=0.00771)


def test_a_large_change_below_a_learnt_threshold_has_moved() -> None:
    said = reason(0.7, 0.87, p=1e-12)

    assert said.startswith("PSI 0.70 is below 0.87: moved (p < 1e-09)")
    assert "below what 12 reference windows can vouch for" in said


@given(st.floats(0.25, 20.0), st.floats(0.0, 20.0))
def test_a_large_change_that_is_no_chance_is_never_small(psi: float, threshold: float) -> None:
    assert "too small" not in reason(psi, threshold, p=1e-9)


SIZES = st.floats(0.0, 20.0, allow_subnormal=False)


@given(SIZES, SIZES)
def test_the_printed_figures_are_in_the_order_that_is_said(psi: float, threshold: float) -> None:
    match = re.match(r"PSI (\S+) (is above|is below|equals) ([^,:;\s]+)", reason(psi, threshold))

    assert match
    shown, bound = float(match[1]), float(match[3])
    signs = {"is above": shown > bound, "is below": shown < bound, "equals": psi == threshold}
    assert signs[match[2]]
