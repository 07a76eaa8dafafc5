from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.models import infer_signature
from sklearn.linear_model import LinearRegression

from tests.detection.windows import make_spec, make_table
from trimtab.adapters.datasets.registered_model import RegisteredModel
from trimtab.adapters.registry.tracking import open_tracking
from trimtab.contracts.fitted import FittedModel
from trimtab.contracts.ports import Refused
from trimtab.contracts.tags import EFFECT_KEY_TAG, TRAINED_ROWS_TAG
from trimtab.pipelines.history.rows import build_model_inputs
from trimtab.pipelines.scoring.estimator import fit_estimator
from trimtab.runtime.settings import Settings

KEY = "a" * 64


def rows() -> pd.DataFrame:
    return make_table(200).assign(at=pd.date_range("2026-01-05", periods=200, freq="h", tz="UTC"))


def fitted(**changes: Any) -> FittedModel:
    fields: dict[str, Any] = {
        "estimator": fit_estimator(rows(), make_spec(), seed=0),
        "example": build_model_inputs(rows().head(3), make_spec()),
        "metrics": {"r2": 0.5},
        "params": {"seed": 0},
        "tags": {EFFECT_KEY_TAG: KEY, TRAINED_ROWS_TAG: "200"},
        "artifacts": {"reference_profile.json": {"rows": 200}},
    }
    return FittedModel(**{**fields, **changes})


@pytest.fixture
def sales(mlflow_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> RegisteredModel:
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "true")
    return RegisteredModel("sales", settings=mlflow_settings)


def test_a_registered_model_predicts_as_it_did_before(sales: RegisteredModel) -> None:
    made = fitted()
    sales.register(made)

    loaded = sales.version("1").load()

    inputs = build_model_inputs(rows(), make_spec())
    assert np.array_equal(loaded.predict(inputs), made.estimator.predict(inputs))


def test_a_version_is_found_by_its_key_with_all_that_belongs_to_it(sales: RegisteredModel) -> None:
    sales.register(fitted())

    found = sales.made_by(KEY)

    assert found is not None
    assert (found.version, dict(found.metrics)) == ("1", {"r2": 0.5})
    assert found.artifact("reference_profile.json") == {"rows": 200}
    assert sales.made_by("b" * 64) is None


def test_a_key_makes_one_version_however_many_train_for_it(
    sales: RegisteredModel, mlflow_settings: Settings
) -> None:
    """The second one was asked whether there is a version before the first one made it."""
    sales.register(fitted())

    sales.register(fitted())

    versions = open_tracking(mlflow_settings).search_model_versions("name='sales'")
    assert [str(version.version) for version in versions] == ["1"]


def test_of_two_that_are_made_in_the_same_instant_the_older_stays(
    sales: RegisteredModel, mlflow_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = open_tracking(mlflow_settings)
    create = client.create_model_version

    def create_second(*arguments: Any, **options: Any) -> Any:
        monkeypatch.setattr(client, "create_model_version", create)
        create("sales", source="runs:/x", tags={EFFECT_KEY_TAG: KEY})
        return create(*arguments, **options)

    monkeypatch.setattr(client, "create_model_version", create_second)
    sales.register(fitted())

    versions = client.search_model_versions("name='sales'")
    assert [(str(found.version), found.source) for found in versions] == [("1", "runs:/x")]


def test_only_a_version_with_the_alias_becomes_champion(sales: RegisteredModel) -> None:
    sales.register(fitted(alias="champion"))
    sales.register(fitted(tags={TRAINED_ROWS_TAG: "200"}))

    assert sales.champion().version == "1"
    assert sales.version("2").version == "2"


def test_a_model_without_versions_has_no_champion(sales: RegisteredModel) -> None:
    with pytest.raises(Refused, match="'sales' has no champion: run the pipeline training"):
        sales.champion()


def test_a_version_that_is_not_there_is_refused(sales: RegisteredModel) -> None:
    sales.register(fitted())

    with pytest.raises(Refused, match="'sales' has no version '7'"):
        sales.version("7")


def test_an_artifact_that_is_not_there_is_refused(sales: RegisteredModel) -> None:
    sales.register(fitted(artifacts={}))

    with pytest.raises(Refused, match=r"has no artifact reference_profile.json"):
        sales.version("1").artifact("reference_profile.json")


@pytest.mark.parametrize("trusted", [["os.system"], []])
def test_a_model_that_our_training_did_not_make_is_not_loaded(
    sales: RegisteredModel, mlflow_settings: Settings, tmp_path: Path, trusted: list[str]
) -> None:
    """A crafted artifact names the types itself that it wants to be trusted, and forges our tag."""
    client = open_tracking(mlflow_settings)
    foreign = LinearRegression().fit([[1.0], [2.0]], [1.0, 2.0])
    folder = tmp_path / "foreign"
    mlflow.sklearn.save_model(
        foreign,
        folder,
        signature=infer_signature(np.array([[1.0]])),
        serialization_format="skops" if trusted else "cloudpickle",
        skops_trusted_types=trusted or None,
        pip_requirements=["scikit-learn"],
    )
    client.create_registered_model("sales")
    client.create_model_version("sales", source=folder.as_uri(), tags={TRAINED_ROWS_TAG: "1"})

    with pytest.raises(Refused, match="was not made by the pipelines of Trimtab"):
        sales.version("1").load()
