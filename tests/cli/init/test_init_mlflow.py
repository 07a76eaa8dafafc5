"""A model that is in MLflow already, logged the ordinary way, is monitored."""

from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
import yaml
from mlflow.models import infer_signature
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from typer.testing import CliRunner

from trimtab.cli.app import app
from trimtab.contracts.model import Task, Tier
from trimtab.contracts.ports import Refused
from trimtab.pipelines.session import run_pipeline
from trimtab.runtime.models import load_model_spec
from trimtab.runtime.settings import Settings

pytestmark = pytest.mark.filterwarnings("ignore:Hint. Inferred schema contains integer column")


class LeavesATrace(LinearRegression):  # type: ignore[misc]  # scikit-learn has no types
    """A model that leaves a trace when it is loaded: so could any code."""

    def __setstate__(self, state: dict[str, Any]) -> None:
        Path("loaded").touch()
        super().__setstate__(state)


def trades(rows: int = 4000) -> pd.DataFrame:
    """Ten weeks; from 1 March prices no longer hang on the size alone."""
    chance = np.random.default_rng(3)
    at = pd.date_range("2026-01-01", periods=rows, freq=pd.Timedelta(days=70) / rows)
    size = chance.uniform(20, 200, rows)
    rooms = chance.integers(1, 7, rows)
    district = chance.choice(["north", "south", "east"], rows)
    price = size * 3 + rooms * 20 + np.where(district == "north", 100, 0)
    later = at >= pd.Timestamp("2026-03-01")
    price = np.where(later, 700 - 2 * size, price) + chance.normal(0, 5, rows)
    return pd.DataFrame(
        {"at": at, "size": size, "rooms": rooms, "district": district, "agent": "a", "price": price}
    )


@pytest.fixture
def deployment(
    mlflow_settings: Settings, tmp_path: Path, valkey_url: str, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A working directory with an MLflow of its own, and a stream."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    monkeypatch.setenv("TRIMTAB_HOME", str(mlflow_settings.home))
    monkeypatch.setenv("TRIMTAB_REDIS__URL", valkey_url)
    mlflow.set_tracking_uri(mlflow_settings.tracking_uri)
    mlflow.set_registry_uri(mlflow_settings.tracking_uri)
    return tmp_path


def register(model: Any, inputs: pd.DataFrame, *, alias: bool = True, **options: Any) -> str:
    """As people do it."""
    folder = Path("artifacts").absolute().as_uri()
    options = {"pip_requirements": ["scikit-learn"], **options}
    experiment = mlflow.create_experiment("mine", artifact_location=folder)
    with mlflow.start_run(experiment_id=experiment):
        logged = mlflow.sklearn.log_model(
            model,
            name="model",
            registered_model_name="prices",
            signature=infer_signature(inputs, model.predict(inputs)),
            **options,
        )
    version = str(logged.registered_model_version)
    if alias:
        mlflow.MlflowClient().set_registered_model_alias("prices", "champion", version)
    return version


def fitted(table: pd.DataFrame, model: Any = None) -> tuple[Any, pd.DataFrame]:
    learnt = table[table["at"] < "2026-01-15"]
    inputs = learnt[["rooms", "district", "size"]]
    encode = make_column_transformer(
        (OneHotEncoder(handle_unknown="ignore"), ["district"]), remainder="passthrough"
    )
    return make_pipeline(encode, model or LinearRegression()).fit(inputs, learnt["price"]), inputs


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, " ".join(result.output.split())


def configure(*more: str) -> tuple[int, str]:
    return run("init", "prices", "--mlflow-model", "prices", "--data", "trades.parquet", *more)


def version_now() -> dict[str, Any]:
    client = mlflow.MlflowClient()
    version = client.get_model_version_by_alias("prices", "champion")
    run_id = str(version.run_id)
    found = client.get_run(run_id)
    return {
        "tags": dict(version.tags),
        "metrics": dict(found.data.metrics),
        "artifacts": [each.path for each in client.list_artifacts(run_id)],
        "aliases": dict(client.get_registered_model("prices").aliases),
    }


def ran(pipeline: str, **params: Any) -> dict[str, Any]:
    return run_pipeline(pipeline, {"model": "prices", **params})


def monitor(start: str, end: str) -> dict[str, Any]:
    return ran("monitoring", start=f"{start}T00:00:00Z", end=f"{end}T00:00:00Z")


def change(**values: object) -> None:
    path = Path("conf/local/models/prices.yml")
    path.write_text(yaml.safe_dump(yaml.safe_load(path.read_text()) | values))


def test_a_model_that_was_made_elsewhere_is_monitored(deployment: Path) -> None:
    table = trades()
    table.to_parquet("trades.parquet")
    register(*fitted(table))
    before = version_now()

    code, output = configure("--since", "2026-01-15")
    spec = load_model_spec("prices")
    examined, found = run("doctor")
    sound, bad = monitor("2026-02-12", "2026-02-19"), monitor("2026-03-02", "2026-03-09")

    assert code == 0, output
    assert (spec.task, spec.target, spec.timestamp) == (Task.REGRESSION, "price", "at")
    assert {feature.name for feature in spec.features} == {"rooms", "district", "size"}
    assert spec.tier is Tier.CRITICAL
    assert "not among the inputs of version 1" in spec.ignored["agent"]
    assert examined == 0, found
    assert sound["event"] is None, sound["finding"]
    assert bad["finding"]["performance"]["degraded"]
    assert bad["finding"]["performance"]["reference"] > 0.9
    assert bad["finding"]["champion_version"] == "1"
    assert version_now() == before
    assert len(baselines()) == 1


def test_what_runs_code_is_not_loaded_unless_a_person_says_so(deployment: Path) -> None:
    table = trades()
    table.to_parquet("trades.parquet")
    register(*fitted(table, LeavesATrace()), serialization_format="cloudpickle")

    code, output = configure("--since", "2026-01-15")
    examined, found = run("doctor")
    with pytest.raises(Refused, match="trust_pickle: true"):
        monitor("2026-03-02", "2026-03-09")
    unloaded = not Path("loaded").exists()
    change(trust_pickle=True)
    trusted, _ = run("doctor")
    bad = monitor("2026-03-02", "2026-03-09")

    assert code == 0, output
    assert "trust_pickle: true (it is stored as sklearn, cloudpickle)" in output
    assert "may have been trained on the reference" not in output
    assert examined == 1
    assert "trust_pickle" in found
    assert (unloaded, trusted, Path("loaded").exists()) == (True, 0, True)
    assert bad["finding"]["performance"]["degraded"]


def test_a_package_that_the_model_needs_and_that_is_missing_is_named_by_doctor_first(
    deployment: Path,
) -> None:
    table = trades()
    table.to_parquet("trades.parquet")
    register(*fitted(table), pip_requirements=["scikit-learn", "nosuchboost==3.1.0"])

    configured, _ = configure("--since", "2026-01-15")
    code, output = run("doctor")

    assert configured == 0
    assert code == 1
    assert "champion version 1 needs nosuchboost==3.1.0, not installed here" in output
    assert "add PACKAGES=nosuchboost==3.1.0`, or name a prediction column" in output


def test_logged_predictions_replace_a_model_that_is_not_loaded(deployment: Path) -> None:
    table = trades()
    model, inputs = fitted(table, LeavesATrace())
    table["predicted_price"] = model.predict(table[inputs.columns])
    table.to_parquet("trades.parquet")
    register(model, inputs, serialization_format="cloudpickle")

    code, output = configure("--since", "2026-01-15")
    examined, found = run("doctor")
    bad = monitor("2026-03-02", "2026-03-09")

    assert (code, examined) == (0, 0), output + found
    assert load_model_spec("prices").prediction == "predicted_price"
    assert bad["finding"]["performance"]["degraded"]
    assert not Path("loaded").exists()


def test_a_challenger_is_measured_beside_the_model_that_is_not_loaded(deployment: Path) -> None:
    table = trades()
    model, inputs = fitted(table, LeavesATrace())
    table["predicted_price"] = model.predict(table[inputs.columns])
    table.to_parquet("trades.parquet")
    register(model, inputs, serialization_format="cloudpickle")
    configure("--since", "2026-01-15")
    monitor("2026-03-02", "2026-03-09")
    as_of = "2026-03-09T00:00:00Z"

    keys = {"key": "a" * 64, "plan_hash": "b" * 64, "event_id": "e", "correlation_id": "c"}
    made = ran("retraining", as_of=as_of, **keys)["version"]
    asked = {"versions": ["1", made], "as_of": as_of, "slice": "verification"}
    before = ran("evaluation", **asked)
    mlflow.MlflowClient().set_registered_model_alias("prices", "champion", made)
    after = ran("evaluation", **asked)

    metrics = {each["version"]: each["value"] for each in before["metrics"]}
    assert metrics[made] > metrics["1"]
    assert after == before
    assert not Path("loaded").exists()


@pytest.mark.parametrize("recorded", [False, True])
def test_classes_are_monitored_by_their_probabilities(deployment: Path, recorded: bool) -> None:  # noqa: FBT001 - a parameter
    table = trades()
    table["dear"] = (table["price"] > 400).astype(int)
    learnt = table[table["at"] < "2026-01-15"]
    inputs = learnt[["rooms", "size"]]
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(inputs, learnt["dear"])
    if recorded:
        table["y_pred"] = model.predict_proba(table[["rooms", "size"]])[:, 1]
    table.drop(columns=["price", "agent"]).to_parquet("trades.parquet")
    register(model, inputs)

    code, output = configure("--target", "dear", "--since", "2026-01-15")
    bad = monitor("2026-03-02", "2026-03-09")

    spec = load_model_spec("prices")
    assert code == 0, output
    assert (spec.task, spec.target, spec.metric) == (Task.CLASSIFICATION, "dear", "roc_auc")
    assert (spec.prediction == "y_pred") is recorded
    assert bad["finding"]["performance"]["reference"] > 0.9
    assert bad["finding"]["performance"]["degraded"]


def test_a_changed_configuration_is_measured_anew_and_the_same_one_is_not(
    deployment: Path,
) -> None:
    table = trades()
    table.to_parquet("trades.parquet")
    register(*fitted(table))
    configure("--since", "2026-01-15")

    monitor("2026-02-12", "2026-02-19")
    monitor("2026-02-19", "2026-02-26")
    once = len(baselines())
    change(reference_windows=1)
    monitor("2026-02-12", "2026-02-19")

    assert (once, len(baselines())) == (1, 2)


def test_without_an_alias_init_says_how_to_set_it_and_sets_nothing(deployment: Path) -> None:
    table = trades()
    table.to_parquet("trades.parquet")
    register(*fitted(table), alias=False)

    refused, output = configure()
    inspected, explained = configure("--version", "1")

    assert refused == 1
    assert "no version of 'prices' has the alias 'champion'" in output
    assert 'set_registered_model_alias("prices", "champion", "1")' in output
    assert inspected == 0, explained
    assert "may have been trained on the reference" in explained
    assert "The alias champion is not set" in explained
    assert 'set_registered_model_alias("prices", "champion", "1")' in explained
    assert mlflow.MlflowClient().get_registered_model("prices").aliases == {}


def test_a_model_that_cannot_be_monitored_is_refused_at_once(deployment: Path) -> None:
    table = trades()
    table.rename(columns={"size": "sise"}).assign(rooms="many").to_parquet("trades.parquet")
    unknown, nothing = configure()
    register(*fitted(table))

    code, output = configure()
    other, named = run("init", "mine", "--mlflow-model", "prices", "--data", "trades.parquet")
    stray, version = run("init", "mine", "--version", "1", "--data", "trades.parquet")

    assert (unknown, code, other, stray) == (1, 2, 2, 2)
    assert "has no registered model 'prices'" in nothing
    assert "input 'size' of version 1: no such column: did you mean 'sise'?" in output
    assert "input 'rooms' of version 1: it is a number, but the column holds 'many'" in output
    assert "trimtab init prices --mlflow-model" in named
    assert "needs --mlflow-model" in version


def test_a_registry_that_is_not_there_is_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRIMTAB_HOME", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    trades().to_parquet("trades.parquet")

    code, output = configure()

    assert code == 2
    assert "set MLFLOW_TRACKING_URI to its address" in output
    assert not Path(".trimtab").exists()


def baselines() -> list[Any]:
    found = mlflow.get_experiment_by_name("trimtab/prices/baselines")
    assert found is not None
    return list(mlflow.MlflowClient().search_runs([found.experiment_id]))
