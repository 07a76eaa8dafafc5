from typing import Any

import numpy as np
import pytest

from tests.detection.columns import profile_values
from trimtab.contracts.drift import FeatureKind
from trimtab.detection.drift.unit_change import AffineMap, detect_unit_change
from trimtab.detection.profiles.columns import Column
from trimtab.detection.profiles.window_profile import ColumnProfile

WARMTH = Column(name="warmth", kind=FeatureKind.NUMERIC)


def drawn(seed: int, rows: int = 20_000) -> Any:
    random = np.random.default_rng(seed)
    return {
        "bell": random.normal(12.0, 6.0, rows),
        "gamma": random.gamma(4.0, 5.0, rows),
        "lognormal": random.lognormal(3.0, 1.0, rows),
        "centred": random.normal(0.0, 1.0, rows),
        "counts": random.poisson(40.0, rows).astype("float64"),
    }


def detect(before: Any, now: Any) -> AffineMap | None:
    reference: ColumnProfile = profile_values(WARMTH, before)
    return detect_unit_change(reference, profile_values(WARMTH, now, like=reference))


@pytest.mark.parametrize(
    ("shape", "scale", "shift"),
    [
        ("bell", 1.8, 32.0),
        ("bell", 1 / 1.8, -32.0 / 1.8),
        ("bell", 1.0, 273.15),
        ("bell", 1000.0, 0.0),
        ("bell", -1.0, 0.0),
        ("gamma", 1000.0, 0.0),
        ("gamma", 0.001, 0.0),
        ("gamma", 100.0, 0.0),
        ("gamma", 60.0, 0.0),
        ("gamma", 365.25, 0.0),
        ("counts", 2.54, 0.0),
        ("counts", 1 / 2.204623, 0.0),
        ("lognormal", 1000.0, 0.0),
        ("lognormal", 0.01, 0.0),
        ("centred", 1000.0, 0.0),
        ("counts", 1000.0, 0.0),
        ("counts", 1.609344, 0.0),
    ],
)
def test_a_known_map_is_recognised(shape: str, scale: float, shift: float) -> None:
    unit = detect(drawn(1)[shape], scale * drawn(2)[shape] + shift)

    assert unit is not None
    assert unit.meaning
    assert unit[:2] == pytest.approx((scale, shift), rel=1e-4)


@pytest.mark.parametrize("shape", ["bell", "gamma", "lognormal", "counts"])
@pytest.mark.parametrize(
    ("scale", "shift"),
    [(1.0, 0.0), (1.0, 3.0), (1.0, 30.0), (1.2, 0.0), (1.5, 0.0), (2.0, 0.0), (0.5, 0.0),
     (1.3, 5.0), (2.0, 20.0), (0.0, 20.0)],
)  # fmt: skip
def test_a_shift_growth_or_spread_is_no_unit_change(shape: str, scale: float, shift: float) -> None:
    assert detect(drawn(1)[shape], scale * drawn(2)[shape] + shift) is None


def test_an_unknown_large_factor_is_a_unit_change_if_the_shape_is_kept() -> None:
    unit = detect(drawn(1)["gamma"], 190.0 * drawn(2)["gamma"])

    assert unit is not None
    assert not unit.meaning
    assert unit.scale == pytest.approx(190.0, rel=0.02)


def test_growth_that_changes_the_shape_is_no_unit_change() -> None:
    random = np.random.default_rng(3)

    assert detect(drawn(1)["counts"], random.poisson(400.0, 20_000)) is None
    assert detect(drawn(1)["gamma"], random.gamma(40.0, 5.0, 20_000)) is None


def test_a_few_sentinels_are_no_unit_change() -> None:
    with_sentinels = drawn(2)["gamma"]
    with_sentinels[:200] = 999_999.0

    assert detect(drawn(1)["gamma"], with_sentinels) is None


def test_another_distribution_is_no_unit_change() -> None:
    shapes = drawn(1)
    others = {name: values * 3 + 10 for name, values in drawn(2).items()}

    assert [
        (one, other)
        for one, before in shapes.items()
        for other, now in others.items()
        if one != other and detect(before, now) is not None
    ] == []


def test_a_map_is_recognised_without_a_sketch_of_distinct_values() -> None:
    reference = profile_values(WARMTH, drawn(1)["gamma"])
    current = profile_values(WARMTH, 1000 * drawn(2)["gamma"], like=reference)

    unit = detect_unit_change(reference, current.model_copy(update={"sketch": ""}))

    assert unit
    assert unit.scale == 1000.0


def test_few_values_or_few_different_ones_are_not_judged() -> None:
    assert detect(drawn(1)["gamma"], 1000 * drawn(2, 50)["gamma"]) is None
    assert detect(np.arange(20_000) % 3, 1000 * (np.arange(20_000) % 3)) is None
