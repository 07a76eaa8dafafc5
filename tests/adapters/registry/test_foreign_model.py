from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
from mlflow.models import Model, infer_signature
from sklearn.linear_model import LinearRegression, LogisticRegression

from tests.builders import a_spec
from trimtab.adapters.registry.foreign_model import (
    ForeignEstimator,
    format_storage,
    load_foreign_model,
)
from trimtab.adapters.registry.version_files import TRUSTED_TYPES
from trimtab.contracts.drift import FeatureKind
from trimtab.contracts.model import Feature, ModelSpec, Task
from trimtab.contracts.ports import Refused

TRUSTED = frozenset(TRUSTED_TYPES)


def spec(**changes: Any) -> ModelSpec:
    features = tuple(
        Feature(name=name, kind=kind)
        for name, kind in (("x", FeatureKind.NUMERIC), ("flag", FeatureKind.CATEGORICAL))
    )
    return a_spec(features=features, **changes)


def saved(folder: Path, model: Any, **options: Any) -> str:
    table = pd.DataFrame({"flag": [True, False, True, False], "x": [1.0, 2.0, 3.0, 5.0]})
    target = ["no", "no", "yes", "yes"] if isinstance(model, LogisticRegression) else table["x"]
    mlflow.sklearn.save_model(
        model.fit(table, target),
        folder,
        signature=infer_signature(table, np.asarray(target)),
        pip_requirements=["scikit-learn"],
        **options,
    )
    return str(folder)


def test_it_is_asked_in_the_order_and_the_types_of_its_signature(tmp_path: Path) -> None:
    path = saved(tmp_path / "m", LinearRegression())

    model = load_foreign_model(path, spec=spec(), version="1", trusted_types=TRUSTED)
    found = model.predict(pd.DataFrame({"x": [2.5, 4.0], "flag": ["True", "False"]}))

    assert found.tolist() == pytest.approx([2.5, 4.0])


def test_classes_are_texts_with_their_chances(tmp_path: Path) -> None:
    path = saved(tmp_path / "m", LogisticRegression())
    asked = spec(task=Task.CLASSIFICATION, metric="roc_auc", target="left")
    table = pd.DataFrame({"x": [0.0, 9.0], "flag": ["True", "False"]})

    model: Any = load_foreign_model(path, spec=asked, version="1", trusted_types=TRUSTED)

    assert model.predict(table).tolist() == ["no", "yes"]
    assert model.classes_ == ["no", "yes"]
    assert model.predict_proba(table).shape == (2, 2)


@pytest.mark.parametrize(
    "options",
    [
        {"serialization_format": "cloudpickle"},
        {"serialization_format": "skops", "skops_trusted_types": ["os.system"]},
    ],
)
def test_a_model_that_may_run_code_is_loaded_only_if_it_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    """Models that name types to trust, which Trimtab does not trust, are included."""
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "true")
    path = saved(tmp_path / "m", LinearRegression(), **options)

    with pytest.raises(Refused, match="trust_pickle: true"):
        load_foreign_model(path, spec=spec(), version="1", trusted_types=TRUSTED)

    trusted = load_foreign_model(
        path, spec=spec(trust_pickle=True), version="1", trusted_types=TRUSTED
    )
    assert isinstance(trusted, ForeignEstimator)
    assert format_storage(Model.load(path)).startswith(
        f"sklearn, {options['serialization_format']}"
    )


def test_a_column_that_it_wants_and_that_is_not_given_is_named(tmp_path: Path) -> None:
    path = saved(tmp_path / "m", LinearRegression())
    model = load_foreign_model(path, spec=spec(), version="1", trusted_types=TRUSTED)

    with pytest.raises(Refused, match=r"needs flag: list these columns under features"):
        model.predict(pd.DataFrame({"x": [1.0]}))
