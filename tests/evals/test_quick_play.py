from pathlib import Path

import pytest

from evals.code_version import compute_code_version, compute_rules_version
from evals.play.incident_play import play_incident
from evals.play.incident_record import PlayedIncident
from evals.play.labelled_incident import build_incident
from evals.play.suite_runner import RESULTS_FILE, read_played, run_suite
from evals.report.page import render_scoreboard_page
from evals.report.summary import list_summaries, summarise_run, write_summary
from evals.report.text_table import format_summary
from evals.scores.scoreboard import score_all
from evals.suites.builtin import Split, SuiteSelection, list_builtin_incidents
from evals.truth import IncidentId
from tests.evals.incidents import a_played, a_response
from trimtab.contracts.ports import Refused
from trimtab.contracts.remediation import Action


@pytest.mark.timeout(120)
@pytest.mark.filterwarnings("ignore")
def test_a_strong_change_of_the_relation_is_seen_learnt_and_recorded() -> None:
    incident = build_incident(IncidentId(table="demand", kind="concept", strength=3, seed=0))

    played = play_incident(incident, code="c")

    assert [window.failure for window in played.windows] == [""] * 7
    assert played.first_event is not None
    assert played.first_event.finding
    assert played.first_event.response is not None
    assert played.first_event.response.likelihoods
    assert played.adjudication.truth.actions == (Action.RETRAIN,)
    retrained, kept = played.oracle.actions["retrain"], played.oracle.actions["keep"]
    assert retrained is not None
    assert kept is not None
    assert retrained > kept
    assert PlayedIncident.model_validate_json(played.model_dump_json()) == played


def test_a_finished_incident_is_not_played_again(tmp_path: Path) -> None:
    played = a_played()
    (tmp_path / RESULTS_FILE).write_text(played.model_dump_json() + "\n" + '{"id": {"tab')

    found = run_suite([played.id], output=tmp_path, code="c")

    assert found == [played]


def test_what_other_code_played_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / RESULTS_FILE
    path.write_text(a_played(code="old").model_dump_json() + "\n")

    assert list(read_played(path, code="new")) == []


def test_held_out_seeds_are_never_training_seeds() -> None:
    training = list_builtin_incidents(SuiteSelection([0, 1]))
    held_out = list_builtin_incidents(SuiteSelection([0, 1], split=Split.HELD_OUT))

    assert {each.seed for each in training} == {0, 1}
    assert {each.seed for each in held_out} == {1000, 1001}
    with pytest.raises(Refused, match="seeds are 0 to 999"):
        SuiteSelection([1000])


def test_a_suite_has_each_kind_on_each_table_at_strengths_that_take_turns() -> None:
    incidents = list_builtin_incidents(SuiteSelection([0, 1, 2], kinds=["concept"]))

    assert len(incidents) == 15
    assert {each.strength for each in incidents if each.table == "churn"} == {1, 2, 3}


def test_a_summary_is_written_and_read_and_shown(tmp_path: Path) -> None:
    scores = score_all([a_played(events={2: a_response()})])
    summary = summarise_run(
        scores, suite="builtin", split="training", seeds=[0], analyst="analyst/rules"
    )

    write_summary(summary, tmp_path)

    assert list_summaries(tmp_path) == [summary]
    assert "first action acceptable" in format_summary(summary)
    assert "Risk by coverage" in render_scoreboard_page(summary)


def test_digests_name_the_code_and_the_rules() -> None:
    assert len(compute_code_version()) == 16
    assert len(compute_rules_version().rules) == 64
