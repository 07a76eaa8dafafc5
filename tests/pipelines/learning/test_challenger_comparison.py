"""A challenger is judged by rows that it has not learnt from, also where these are few."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.detection.windows import START, WEEK, make_spec, make_table
from tests.pipelines.versions import served
from trimtab.contracts.fitted import ServedModel
from trimtab.contracts.model import ModelSpec, PairedComparison, Slice
from trimtab.pipelines.history.slices import read_slice_rows
from trimtab.pipelines.history.time_ranges import TimeRange
from trimtab.pipelines.inspection.preview import compare_trial_challenger
from trimtab.pipelines.learning.challenger_comparison import (
    CrossFitPlan,
    JudgedChallenger,
    compare_challenger,
)
from trimtab.pipelines.learning.model_fitting import fit_model
from trimtab.pipelines.requests import PreviewRequest

AS_OF = START + 6 * WEEK
PLAN = CrossFitPlan(AS_OF, corrupt_too=True, seed=0)


class Versions:
    """A champion without a registry."""

    def __init__(self, champion: ServedModel) -> None:
        self._champion = champion

    def champion(self) -> ServedModel:
        return self._champion


def a_changed_world(rows: int = 600, **columns: Any) -> pd.DataFrame:
    """Return six weeks; revenue falls with the price from the fourth week on, and rose before."""
    made, random = make_table(rows), np.random.default_rng(5)
    at = START + pd.to_timedelta(np.linspace(0, 6 * 7, rows, endpoint=False), unit="D")
    price = made["price"] * 3 + random.normal(0.0, 25.0, rows)
    revenue = np.where(at < pd.Timestamp(START + 3 * WEEK), 200 + price, 500 - price)
    return made.assign(at=at, revenue=revenue, **columns).set_axis([7] * rows)


def a_champion(rows: pd.DataFrame, spec: ModelSpec) -> ServedModel:
    fitted = fit_model(rows, spec, time_range=TimeRange(START, START + 3 * WEEK), seed=0, tags={})
    return served(fitted)


def compare(
    rows: pd.DataFrame, *, plan: CrossFitPlan | None = PLAN, **changes: Any
) -> list[PairedComparison]:
    spec = make_spec(**changes)
    champion = a_champion(a_changed_world(), spec)
    fitted = fit_model(
        rows, spec, time_range=TimeRange(START + 3 * WEEK, AS_OF - 0.4 * WEEK), seed=0, tags={}
    )
    challenger = JudgedChallenger(fitted.estimator, "2")
    held_out = read_slice_rows(rows, spec, AS_OF, Slice.GATE)
    return compare_challenger(rows, spec, held_out, champion, challenger, plan=plan)


def test_few_rows_are_joined_by_those_of_the_newest_windows() -> None:
    held_out, everything = compare(a_changed_world())

    assert (held_out.rows, held_out.cross_fitted) == (20, False)
    assert everything.cross_fitted
    assert everything.rows > 200
    assert everything.low > 0.0
    assert everything.floor == pytest.approx(0.1)


def test_without_a_plan_only_rows_held_out_are_compared() -> None:
    assert [each.rows for each in compare(a_changed_world(), plan=None)] == [20]


def test_enough_rows_held_out_need_no_others() -> None:
    (held_out,) = compare(a_changed_world(6000))

    assert held_out.rows == 200
    assert held_out.low > 0.0


def test_what_was_learnt_by_heart_does_not_count() -> None:
    """The target is noise: a model that had seen the rows it is judged by would look good."""
    noise = np.random.default_rng(6).normal(300.0, 50.0, 600)

    comparisons = compare(a_changed_world().assign(revenue=noise))

    assert comparisons[-1].cross_fitted
    assert comparisons[-1].after < 0.1


def test_rows_that_the_champion_learnt_from_are_not_judged() -> None:
    """It learnt from the first three weeks; four weeks are looked at."""
    _, everything = compare(a_changed_world())

    assert everything.rows <= 300


def a_preview(rows: pd.DataFrame, **changes: Any) -> dict[str, Any]:
    spec = make_spec()
    request = PreviewRequest(model="sales", as_of=AS_OF, **changes)
    champion = Versions(a_champion(a_changed_world(), spec))
    return compare_trial_challenger(rows, spec, request, champion)  # type: ignore[arg-type] # the others are not asked for


def test_a_preview_compares_a_challenger_that_nobody_registers() -> None:
    report = a_preview(a_changed_world(6000))

    (paired,) = report["paired"]
    assert (report["champion"], report["refusal"], report["window_rows"]) == ("1", "", 1000)
    assert paired["challenger"] == ""
    assert paired["low"] > 0.0


def test_a_preview_says_why_nothing_can_be_trained() -> None:
    corrupt = a_changed_world(6000)
    corrupt.loc[(corrupt["at"] >= AS_OF - WEEK).to_numpy(), "price"] *= 100

    refused, allowed = a_preview(corrupt), a_preview(corrupt, corrupt_too=True)

    assert "is corrupt" in refused["refusal"]
    assert refused["paired"] == []
    assert allowed["refusal"] == ""
    assert allowed["paired"]
