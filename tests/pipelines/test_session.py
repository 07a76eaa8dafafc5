import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from tests.pipelines.conftest import PARKING, Run
from trimtab.contracts.ports import Refused
from trimtab.pipelines import __main__ as command
from trimtab.runtime.paths import SHIPPED

CHURN = """
name: churn
task: classification
dataset: churn
target: left
timestamp: day
features:
  - {name: calls, kind: numeric}
  - {name: plan, kind: categorical}
window: P7D
reference_windows: 3
label_delay: P2D
metric: roc_auc
tolerance: 0.1
"""


def write_churn(folder: Path, catalog: str) -> None:
    """Write ten weeks of customers; from the eighth week on, those who call stay."""
    random = np.random.default_rng(0)
    rows = 4200
    day = np.arange(rows) // 60
    calls = random.poisson(3, rows)
    pull = np.where(day < 49, 1.0, -1.0) * (calls - 3)
    table = pd.DataFrame(
        {
            "day": pd.Timestamp("2026-01-05") + pd.to_timedelta(day, unit="D"),
            "calls": calls,
            "plan": random.choice(["small", "large"], rows),
            "left": random.random(rows) < 1 / (1 + np.exp(-pull)),
        }
    )
    (folder / "tables").mkdir()
    table.to_parquet(folder / "tables" / "churn.parquet")
    table.to_csv(folder / "tables" / "churn.csv", index=False)
    (folder / "conf" / "local" / "models" / "churn.yml").write_text(CHURN)
    (folder / "conf" / "local" / "catalog_churn.yml").write_text(catalog)


OURS = """
churn:
  type: trimtab.adapters.datasets.history.HistoryDataset
  filepath: tables/churn.parquet
"""
KEDROS_OWN = """
churn:
  type: pandas.CSVDataset
  filepath: tables/churn.csv
"""


@pytest.mark.parametrize("catalog", [OURS, KEDROS_OWN], ids=["ours", "kedros-own"])
def test_a_model_configured_outside_the_checkout_is_monitored(
    elsewhere: Run, stream: Any, tmp_path: Path, catalog: str
) -> None:
    write_churn(tmp_path, catalog)

    trained = elsewhere("training", model="churn")
    quiet = elsewhere(
        "monitoring", model="churn", start="2026-02-02T00:00:00Z", end="2026-02-09T00:00:00Z"
    )
    turned = elsewhere(
        "monitoring", model="churn", start="2026-03-02T00:00:00Z", end="2026-03-09T00:00:00Z"
    )

    assert trained["value"] > 0.75
    assert quiet["event"] is None
    assert quiet["metric"]["rows"] == 300, "labels of the last two days are not known yet"
    assert turned["event"]["data"]["performance"]["degraded"]
    assert len(stream()) == 1


def test_a_model_without_a_champion_is_refused_with_the_remedy(
    elsewhere: Run, tmp_path: Path
) -> None:
    write_churn(tmp_path, OURS)

    with pytest.raises(Refused, match="no champion: run the pipeline training"):
        elsewhere(
            "monitoring", model="churn", start="2026-02-02T00:00:00Z", end="2026-02-09T00:00:00Z"
        )


def test_a_dataset_in_no_catalog_is_refused_with_the_remedy(elsewhere: Run, tmp_path: Path) -> None:
    write_churn(tmp_path, "other:\n  type: pandas.CSVDataset\n  filepath: x.csv\n")

    with pytest.raises(Refused, match=r"'churn' .* in no catalog: add it to conf/local/catalog"):
        elsewhere("training", model="churn")


@pytest.mark.parametrize(
    ("pipeline", "params", "said"),
    [
        ("guessing", {}, "there is no pipeline 'guessing'"),
        ("training", {}, "model: Field required"),
        ("training", {"model": PARKING, "speed": 9}, "speed = 9: there is no such field"),
        ("training", {"model": "unheard-of"}, "'unheard-of': is not configured"),
        (
            "monitoring",
            {"model": PARKING, "start": "2016-11-08T00:00Z", "end": "2016-11-01T00:00Z"},
            "is not after start",
        ),
        ("monitoring", {"model": PARKING, "start": "yesterday", "end": "today"}, "start = "),
    ],
)
def test_bad_parameters_are_refused_with_the_reason(
    elsewhere: Run, pipeline: str, params: dict[str, Any], said: str
) -> None:
    with pytest.raises(Refused, match=said):
        elsewhere(pipeline, **params)


def test_a_run_leaves_the_root_logger_alone(parking: Run) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level

    parking("evaluation", versions=["1"], as_of="2016-11-01T00:00:00Z", slice="recent")

    assert (root.handlers, root.level) == (handlers, level)


def test_warming_up_returns_an_empty_report(parking: Run) -> None:
    from trimtab.pipelines.session import run_pipeline  # noqa: PLC0415 - as in the fixture

    assert run_pipeline("warm", {}) == {}


def test_importing_the_session_loads_nothing_heavy() -> None:
    program = (
        "import sys, trimtab.pipelines.session;"
        "heavy = {'kedro', 'mlflow', 'sklearn', 'pandas'} & set(sys.modules);"
        "sys.exit(1 if heavy else 0)"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=SHIPPED, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_the_command_prints_the_report_as_json(
    parking: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    params = {
        "model": PARKING,
        "versions": ["1"],
        "as_of": "2016-11-01T00:00:00Z",
        "slice": "gate",
    }
    monkeypatch.setattr(sys, "argv", ["pipelines", "evaluation", "--params", json.dumps(params)])

    code = command.main()

    assert code == 0
    assert json.loads(capsys.readouterr().out)["metrics"][0]["version"] == "1"


def test_the_command_prints_the_reason_of_a_failure(
    parking: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["pipelines", "evaluation"])

    code = command.main()

    assert code == 1
    assert "Field required" in capsys.readouterr().err
