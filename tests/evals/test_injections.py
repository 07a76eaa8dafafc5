import numpy as np
import pandas as pd
import pytest

from evals.injections.kinds import get_kind, list_kinds
from evals.play.labelled_incident import LabelledIncident, build_incident
from evals.tables.catalogue import TABLES, get_table
from evals.tables.table_world import draw_clean_table
from evals.truth import TRUE_TARGET, Due, IncidentId
from trimtab.contracts.ports import Refused
from trimtab.contracts.remediation import Action

CHANGING_REFERENCE = {"no_skill", "tiny_windows", "season"}


def an_incident(kind: str, *, strength: int = 2, table: str = "demand") -> LabelledIncident:
    return build_incident(IncidentId(table=table, kind=kind, strength=strength, seed=0))


def split_rows(incident: LabelledIncident) -> tuple[pd.DataFrame, pd.DataFrame]:
    times = incident.rows[incident.spec.timestamp]
    before = incident.rows[times < incident.onset_time]
    return before, incident.rows[times >= incident.onset_time]


def test_there_are_at_least_25_kinds_with_different_names() -> None:
    names = [kind.name for kind in list_kinds()]

    assert len(set(names)) == len(names) >= 25


def test_an_unknown_kind_or_table_is_refused() -> None:
    with pytest.raises(Refused, match="no kind"):
        get_kind("earthquake")
    with pytest.raises(Refused, match="no table"):
        get_table("weather")


@pytest.mark.parametrize("kind", [kind.name for kind in list_kinds()])
def test_an_incident_is_a_function_of_its_id(kind: str) -> None:
    pd.testing.assert_frame_equal(an_incident(kind).rows, an_incident(kind).rows)


@pytest.mark.parametrize(
    "kind", [kind.name for kind in list_kinds() if kind.name not in CHANGING_REFERENCE]
)
def test_nothing_changes_before_the_onset(kind: str) -> None:
    incident = an_incident(kind)
    clean = draw_clean_table(get_table("demand"), seed=0, onset=incident.truth.onset)

    before, _ = split_rows(incident)

    expected = clean.rows[clean.rows["at"] < incident.onset_time]
    pd.testing.assert_frame_equal(
        before.reset_index(drop=True), expected.reset_index(drop=True), check_dtype=False
    )


@pytest.mark.parametrize("table", list(TABLES))
def test_a_table_is_drawn_again_from_its_seed(table: str) -> None:
    first, second = (draw_clean_table(get_table(table), seed=3, onset=2) for _ in range(2))
    other = draw_clean_table(get_table(table), seed=4, onset=2)

    pd.testing.assert_frame_equal(first.rows, second.rows)
    assert not first.rows.equals(other.rows)


def test_rates_of_the_rarer_class_are_as_documented() -> None:
    for table, rate in {"churn": 0.33, "credit": 1 / 30, "fraud": 1 / 250}.items():
        rows = draw_clean_table(get_table(table), seed=0, onset=2).rows

        assert np.mean(rows["target"] == "yes") == pytest.approx(rate, rel=0.2)


def test_a_changed_unit_scales_the_important_column() -> None:
    before, after = split_rows(an_incident("unit"))

    assert after["price"].mean() / before["price"].mean() == pytest.approx(3.6, rel=0.05)


def test_a_default_value_is_in_about_the_stated_share_of_rows() -> None:
    before, after = split_rows(an_incident("default_value"))

    assert after["price"].value_counts(normalize=True).iloc[0] == pytest.approx(0.3, abs=0.05)
    assert before["price"].value_counts(normalize=True).iloc[0] < 0.05


def test_a_dropped_column_is_in_no_table_after_the_onset() -> None:
    incident = an_incident("dropped_column")

    assert "price" in incident.view_history(incident.onset_time)
    assert "price" not in incident.view_history(incident.watched[-1].end)


def test_a_feed_that_dies_delivers_nothing() -> None:
    _, after = split_rows(an_incident("feed_dies"))

    assert after.empty


def test_replayed_rows_are_those_of_the_last_sound_window_under_new_times() -> None:
    incident = an_incident("replayed_rows", strength=3)
    before, after = split_rows(incident)
    last = before[before["at"] >= incident.onset_time - incident.spec.window]

    assert set(after["price"]) == set(last["price"])
    assert after["at"].min() >= incident.onset_time


def test_broken_labels_leave_the_true_targets_as_they_are() -> None:
    for kind in ("shuffled_labels", "flipped_labels", "default_labels", "late_labels"):
        incident = an_incident(kind, strength=3, table="churn")
        clean = draw_clean_table(get_table("churn"), seed=0, onset=incident.truth.onset)

        assert (incident.rows[TRUE_TARGET] == clean.rows[TRUE_TARGET]).all()
        assert not (incident.rows["target"] == clean.rows["target"]).all()


def test_a_season_was_there_a_period_before() -> None:
    incident = an_incident("season")
    earlier = incident.rows["at"] < incident.watched[0].start - 4 * incident.spec.window

    assert earlier.any()
    assert incident.rows.loc[earlier, "batch"].mean() > 1.5 * incident.rows["batch"].median()


def test_nothing_hidden_is_in_the_history() -> None:
    history = an_incident("none", table="parking").view_history(
        an_incident("none", table="parking").watched[-1].end
    )

    assert [name for name in history if str(name).startswith("__")] == []


def test_what_no_model_may_learn_from_is_never_to_be_retrained_on() -> None:
    for kind in list_kinds():
        if Action.RETRAIN in kind.truth.forbidden:
            assert Action.RETRAIN not in kind.truth.actions
        if kind.truth.due is not Due.QUIET:
            assert kind.truth.causes
