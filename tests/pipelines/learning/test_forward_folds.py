"""The reference metric comes from several windows, and says how much they differ."""

import numpy as np
import pandas as pd
import pytest

from tests.detection.windows import START, WEEK, make_spec
from tests.pipelines.versions import sales
from trimtab.contracts.model import ModelSpec
from trimtab.pipelines.history.time_ranges import TimeRange, find_holdout_start
from trimtab.pipelines.learning.forward_folds import (
    list_earlier_folds,
    measure_earlier_folds,
    name_fold_metrics,
    summarise_folds,
)
from trimtab.pipelines.learning.model_fitting import fit_model
from trimtab.pipelines.scoring.metrics import MetricScore

SIX_WEEKS = TimeRange(START, START + 6 * WEEK)


def make_model() -> ModelSpec:
    return make_spec(reference_windows=6)


def make_weeks(shares: list[float]) -> pd.DataFrame:
    """Return a week of 400 rows for each share of the revenue that is noise."""
    weeks = [
        sales(1200, start=START + index * WEEK, seed=index).head(400)
        for index in range(len(shares))
    ]
    for index, (week, share) in enumerate(zip(weeks, shares, strict=True)):
        noise = np.random.default_rng(index).normal(0.0, 60.0, len(week))
        week["revenue"] = 200.0 + 3.0 * week["price"] + share * noise
    return pd.concat(weeks, ignore_index=True)


def test_folds_are_chained_and_end_where_the_held_out_week_begins() -> None:
    folds = list_earlier_folds(make_model(), SIX_WEEKS)

    assert [fold.start for fold in folds] == [START + index * WEEK for index in (3, 4)]
    assert folds[-1].end == find_holdout_start(make_model(), SIX_WEEKS)


def test_a_short_range_has_no_earlier_fold() -> None:
    three = TimeRange(START, START + 3 * WEEK)
    assert list_earlier_folds(make_spec(reference_windows=3), three) == []
    assert list_earlier_folds(make_spec(reference_windows=1), TimeRange(START, START + WEEK)) == []


def test_the_reference_is_the_median_and_not_the_last_window() -> None:
    rows = make_weeks([0.2, 0.2, 0.2, 0.2, 0.2, 3.0])

    metrics = fit_model(rows, make_model(), time_range=SIX_WEEKS, seed=0, tags={}).metrics

    assert metrics["r2"] > 0.8
    assert metrics["r2_spread"] > 0.2


def test_windows_that_are_alike_have_a_small_spread() -> None:
    rows = make_weeks([0.2] * 6)

    metrics = fit_model(rows, make_model(), time_range=SIX_WEEKS, seed=0, tags={}).metrics

    assert metrics["r2_spread"] < 0.05


def test_folds_without_enough_rows_are_left_out() -> None:
    assert (
        measure_earlier_folds(make_weeks([0.2] * 6).head(50), make_model(), SIX_WEEKS, seed=0) == []
    )


def test_one_fold_has_no_spread_and_two_keep_the_newest() -> None:
    one, two = MetricScore(0.8, 100, 0.02), MetricScore(0.9, 100, 0.02)

    assert summarise_folds([one]) == (0.8, 0.02, None)
    assert summarise_folds([one, two])[0] == 0.9
    assert summarise_folds([]) == (None, None, None)
    assert name_fold_metrics([one], "r2") == {"r2": 0.8, "r2_error": 0.02}
    assert name_fold_metrics([one, two], "r2")["r2_spread"] == pytest.approx(0.04, abs=0.01)
