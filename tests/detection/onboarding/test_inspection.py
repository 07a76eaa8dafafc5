from datetime import timedelta

import numpy as np
import pandas as pd
import pytest

from tests.detection.sample_tables import (
    make_churn_table,
    make_hourly_table,
    make_species_table,
    make_wide_table,
)
from trimtab.contracts.drift import FeatureKind
from trimtab.contracts.model import Task
from trimtab.detection.onboarding.inspection import propose_configuration
from trimtab.detection.onboarding.proposal import InspectionRequest, Proposal, UnfitTableError

DAY = timedelta(days=1)


def propose(table: pd.DataFrame, *, target: str, timestamp: str) -> Proposal:
    question = InspectionRequest(name="m", dataset="m-history", target=target, timestamp=timestamp)
    return propose_configuration(table, question)


def find_faults(table: pd.DataFrame, *, target: str, timestamp: str) -> str:
    with pytest.raises(UnfitTableError) as caught:
        propose(table, target=target, timestamp=timestamp)
    return "\n".join(caught.value.faults)


def test_an_hourly_series_of_numbers_becomes_a_regression_over_weeks() -> None:
    found = propose(make_hourly_table(), target="load", timestamp="when")

    spec = found.spec
    assert (spec.task, spec.metric) == (Task.REGRESSION, "r2")
    assert (spec.window, len(found.counts)) == (7 * DAY, 6)
    assert spec.time_features == ("hour", "weekday")
    assert [feature.name for feature in spec.features] == ["temperature"]
    assert spec.features[0].minimum is None
    assert spec.minimum_rows < 168
    assert spec.tolerance > 0.05


def test_texts_are_classes_and_flags_are_categories() -> None:
    found = propose(make_churn_table(), target="left", timestamp="day")

    spec = found.spec
    assert (spec.task, spec.metric, spec.target_minimum) == (
        Task.CLASSIFICATION, "roc_auc", None,
    )  # fmt: skip
    kinds = {feature.name: feature.kind for feature in spec.features}
    assert kinds == {
        "tenure": FeatureKind.NUMERIC,
        "plan": FeatureKind.CATEGORICAL,
        "autopay": FeatureKind.CATEGORICAL,
    }
    assert spec.window == 7 * DAY
    assert spec.time_features == ("weekday",)


def test_few_codes_are_classes_measured_by_balanced_accuracy() -> None:
    found = propose(make_species_table(), target="kind", timestamp="ts")

    assert (found.spec.task, found.spec.metric) == (Task.CLASSIFICATION, "balanced_accuracy")
    assert found.timestamp_format == "epoch milliseconds"


@pytest.mark.parametrize("target", ["two", "flag", "ones", "codes"])
def test_two_values_of_any_type_are_two_classes(target: str) -> None:
    table = make_hourly_table()
    coin = pd.Series(np.random.default_rng(5).random(1000) < 0.5)
    table["two"] = coin.map({True: "a", False: "b"}).astype("category")
    table["flag"] = coin.astype("object").where(np.arange(1000) > 5, None)
    table["ones"] = coin.astype("float64")
    table["codes"] = coin.map({True: 1, False: 2})

    spec = propose(table.drop(columns=list({"two", "flag", "ones", "codes"} - {target})),
                    target=target, timestamp="when").spec  # fmt: skip

    assert (spec.task, spec.metric) == (Task.CLASSIFICATION, "roc_auc")


def test_a_wide_table_keeps_only_columns_that_can_be_learnt_from() -> None:
    spec = propose(make_wide_table(), target="price", timestamp="at").spec

    reasons = {
        "order_id": "identifier",
        "customerId": "identifier",
        "uuid": "identifier",
        "row": "identifier",
        "constant": "constant",
        "empty": "mostly missing (100%)",
        "rare": "mostly missing",
        "comment": "too many categories",
        "price_net": "leaks the target",
        "price_band": "leaks the target",
        "shipped": "a second timestamp",
        "shipped_text": "a second timestamp",
        "tags": "neither numbers nor texts",
        "profit (€)": "its name has characters",
    }
    assert set(spec.ignored) == set(reasons)
    for column, reason in reasons.items():
        assert reason in spec.ignored[column], column
    bounds = {feature.name: (feature.minimum, feature.maximum) for feature in spec.features}
    assert bounds["items"] == (0, None)
    assert bounds["share"] == (0, 1)
    assert bounds["x1"] == (None, None)
    assert {"Straße", "region"} < set(bounds)
    assert spec.target_minimum == 0


def test_numbers_with_a_few_texts_among_them_are_numbers() -> None:
    table = make_hourly_table()
    random = np.random.default_rng(9)
    dirty = {
        "area": random.gamma(3, 20, 1000).round(2),
        "order_id": random.permutation(1000),
        "counter": np.arange(1000) * 2.5 + 100.25,
    }
    for name, numbers in dirty.items():
        table[name] = pd.Series(numbers).astype("str").where(np.arange(1000) % 200 != 7, "n/k")

    spec = propose(table, target="load", timestamp="when").spec

    kinds = {feature.name: feature.kind for feature in spec.features}
    assert kinds == {"temperature": FeatureKind.NUMERIC, "area": FeatureKind.NUMERIC}
    assert "an identifier by its name" in spec.ignored["order_id"]
    assert "rises or falls with time" in spec.ignored["counter"]


def test_columns_that_grow_with_time_are_left_out() -> None:
    table = make_hourly_table()
    table["counter"] = np.arange(1000) * 2.5 + 100
    table["falling"] = -table["counter"] * 3
    table["month"] = table["when"].dt.month
    table["cycle"] = np.arange(1000) % 30
    table["mostly_zero"] = np.where(np.arange(1000) % 90 == 0, 3.5, 0.0)

    spec = propose(table, target="load", timestamp="when").spec

    assert set(spec.ignored) == {"counter", "falling", "month"}


def test_columns_that_repeat_the_timestamp_are_left_out() -> None:
    table = make_hourly_table(3000)
    when = table["when"].dt
    table["day"], table["hr"], table["dow"] = when.day, when.hour, when.day_of_week + 1
    table["lag"] = (when.hour + np.random.default_rng(6).integers(0, 2, 3000)) % 24

    spec = propose(table, target="load", timestamp="when").spec

    assert spec.ignored == {
        "day": "it repeats the timestamp's day of the month",
        "hr": "it repeats the timestamp's hour",
        "dow": "it repeats the timestamp's weekday",
    }


def test_a_few_negative_amounts_are_dirty_and_temperatures_below_zero_are_not() -> None:
    table = make_hourly_table(5000)
    table["load"] = table["load"].abs()
    table.loc[[5, 70], "load"] = -1.0
    table["kelvin"] = table["temperature"] + 273

    found = propose(table, target="load", timestamp="when")

    assert found.spec.target_minimum == 0
    assert "2 rows have a target below 0: they are dirty" in found.warnings
    assert "leaks the target" not in str(found.spec.ignored)
    assert [feature.minimum for feature in found.spec.features] == [None, None]


def test_rows_without_a_target_are_kept_with_a_warning() -> None:
    table = make_churn_table()
    table.loc[table.index[-700:], "left"] = None

    found = propose(table, target="left", timestamp="day")

    assert "700 rows have no target: they count as not yet labelled" in found.warnings
    assert found.rows == 20_000


def test_a_few_unreadable_times_are_left_out_with_a_warning() -> None:
    table = make_churn_table()
    table.loc[[3, 4], "day"] = "n/a"

    found = propose(table, target="left", timestamp="day")

    assert found.rows == 19_998
    assert "2 rows have no readable time: they are in no window" in found.warnings


def test_many_unreadable_times_are_refused_with_examples() -> None:
    table = make_churn_table()
    table["day"] = table["day"].where(np.arange(20_000) % 4 > 0, "week 7").astype("object")
    table.loc[0, "day"] = "soon"

    message = find_faults(table, target="left", timestamp="day")

    assert "5,000 of 20,000 values cannot be read as times" in message
    assert "'soon', 'week 7'" in message


def test_an_unknown_column_is_refused_with_the_nearest_name_and_all_names() -> None:
    message = find_faults(make_hourly_table(), target="laod", timestamp="wen")

    assert "target 'laod': no such column: did you mean 'load'?" in message
    assert "timestamp 'wen': no such column: did you mean 'when'?" in message
    assert "name one of when, temperature, load" in message


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t.head(999), "rows = 999 with a time: at least 1,000 are needed"),
        (lambda t: t.assign(load=3.0), "it is always '3.0'"),
        (lambda t: t.assign(load=None), "it is empty"),
        (lambda t: t.assign(load=[str(n) + "x" for n in range(1000)]), "neither numbers nor"),
        (lambda t: t.assign(load=t["when"]), "of type datetime64"),
        (lambda t: t.assign(load=[[1]] * 1000), "of type mixed"),
        (lambda t: t.assign(when="2024-01-01"), "all rows have the same time, 2024-01-01"),
        (lambda t: t.assign(when=np.arange(1000)), "1,000 of 1,000 values cannot be read as times"),
        (lambda t: t[["when", "load"]], "no column is left to learn from"),
        (lambda t: pd.concat([t, t[["temperature"]]], axis=1), "appear twice: temperature"),
    ],
)
def test_a_table_that_cannot_be_monitored_is_refused_with_its_fault(
    change: object, message: str
) -> None:
    assert callable(change)
    assert message in find_faults(change(make_hourly_table()), target="load", timestamp="when")


def test_faults_of_times_and_target_are_reported_at_once() -> None:
    table = make_hourly_table().assign(load=1.0, when="never")

    message = find_faults(table, target="load", timestamp="when")

    assert "cannot be read as times" in message
    assert "it is always" in message


def test_a_name_that_events_cannot_carry_is_refused_for_the_target() -> None:
    table = make_hourly_table().rename(columns={"load": "load (kW)"})

    assert "rename the column" in find_faults(table, target="load (kW)", timestamp="when")


def test_one_column_for_target_and_time_is_refused() -> None:
    assert "name two columns" in find_faults(make_hourly_table(), target="load", timestamp="load")


def test_a_table_separated_by_semicolons_is_recognised() -> None:
    table = pd.DataFrame({"when;load": ["1;2"] * 1000})

    assert "separate columns by commas" in find_faults(table, target="load", timestamp="when")


def test_a_class_that_only_comes_later_is_a_warning() -> None:
    table = make_churn_table()
    table.loc[table.index[-30:], "left"] = "perhaps"

    found = propose(table, target="left", timestamp="day")

    assert any("does not hold the classes perhaps" in warning for warning in found.warnings)


def test_every_column_is_used_or_left_out_with_a_reason() -> None:
    table = make_wide_table()

    found = propose(table, target="price", timestamp="at")

    used = {feature.name for feature in found.spec.features} | set(found.spec.ignored)
    assert used | {"price", "at"} == set(table.columns)
    assert all(column.summary for column in found.columns)
