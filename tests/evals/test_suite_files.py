from pathlib import Path

import pytest
import yaml

from evals.suites.files import load_suite
from evals.tables.catalogue import get_table
from evals.tables.table_world import draw_clean_table
from evals.truth import TRUE_TARGET
from trimtab.contracts.ports import Refused


def write_suite(folder: Path, **changes: object) -> Path:
    clean = draw_clean_table(get_table("demand"), seed=0, onset=2)
    rows = clean.rows.drop(columns="__weekday").rename(columns={TRUE_TARGET: "sold"})
    rows.to_csv(folder / "rows.csv", index=False)
    entry = {
        "table": "shop",
        "kind": "price",
        "rows": "rows.csv",
        "true_target": "sold",
        "spec": clean.spec.model_dump(mode="json"),
        "truth": {
            "causes": [["unit_change"]],
            "actions": ["fix_source"],
            "forbidden": ["retrain"],
            "onset": clean.onset_time.isoformat(),
        },
        **changes,
    }
    suite = {"format": "trimtab-evals/1", "name": "mine", "incidents": [entry]}
    path = folder / "suite.yml"
    path.write_text(yaml.safe_dump(suite))
    return path


def test_a_suite_is_read_from_a_folder(tmp_path: Path) -> None:
    write_suite(tmp_path)

    suite = load_suite(tmp_path)
    (incident_id,) = suite.list_ids()
    incident = suite.build_incident(incident_id)

    assert len(incident.watched) == 7
    assert incident.truth.onset == 2
    assert "sold" not in incident.view_history(incident.watched[-1].end)


def test_an_onset_inside_a_window_is_refused(tmp_path: Path) -> None:
    truth = {
        "causes": [["unit_change"]],
        "actions": ["fix_source"],
        "onset": "2025-02-18T12:00:00Z",
    }
    suite = load_suite(write_suite(tmp_path, truth=truth))
    (incident_id,) = suite.list_ids()

    with pytest.raises(Refused, match="start of no watched window"):
        suite.build_incident(incident_id)


def test_every_fault_of_a_suite_is_named(tmp_path: Path) -> None:
    path = write_suite(tmp_path, truth={"causes": [["gremlins"]], "actions": ["fix_source"]})

    with pytest.raises(Refused, match=r"causes.*onset"):
        load_suite(path)
