"""Tables and further models travel with a version; nothing that is read can run code."""

from collections.abc import Iterator
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import pytest
import skops.io
from sklearn.preprocessing import FunctionTransformer

from tests.detection.windows import make_spec, make_table
from trimtab.adapters.registry.tracking import open_tracking
from trimtab.adapters.registry.version_files import log_files, read_companion, read_frame, read_json
from trimtab.contracts.fitted import FittedModel
from trimtab.contracts.ports import Refused
from trimtab.pipelines.history.rows import cast_targets
from trimtab.pipelines.scoring.loss_model import build_loss_inputs, fit_loss_model, predict_loss
from trimtab.runtime.settings import Settings


@pytest.fixture
def run(mlflow_settings: Settings) -> Iterator[str]:
    open_tracking(mlflow_settings)
    with mlflow.start_run() as started:
        yield started.info.run_id


def kept(**changes: Any) -> FittedModel:
    fields: dict[str, Any] = {
        "estimator": None, "example": None, "metrics": {}, "params": {}, "tags": {},
        "artifacts": {},
    }  # fmt: skip
    return FittedModel(**{**fields, **changes})


def rows() -> pd.DataFrame:
    return make_table(300).assign(at=pd.date_range("2026-01-05", periods=300, freq="h", tz="UTC"))


def test_a_table_comes_back_as_it_was(run: str) -> None:
    made = rows()[["price", "shop"]].astype({"price": "float32", "shop": "object"})
    log_files(kept(frames={"rows.parquet": made}, artifacts={"a.json": {"b": 1}}))

    found = read_frame("here", run, "rows.parquet")

    assert read_json("here", run, "a.json") == {"b": 1}
    assert str(found["price"].dtype) == "float32"
    assert np.array_equal(found["price"], made["price"])
    assert list(found["shop"]) == list(made["shop"])


def test_a_learnt_loss_comes_back_as_it_was(run: str) -> None:
    said = cast_targets(rows(), make_spec()) * 0.9
    inputs = build_loss_inputs(rows(), said, make_spec())
    loss = fit_loss_model(
        inputs, (cast_targets(rows(), make_spec()) - said) ** 2, make_spec(), seed=0
    )
    log_files(kept(companions={"loss.skops": loss}))

    found = read_companion("here", run, "loss.skops")

    expected = predict_loss(loss, inputs)
    assert np.array_equal(predict_loss(found, inputs), expected)


def test_a_companion_that_may_run_code_is_not_loaded(run: str, tmp_path: Any) -> None:
    skops.io.dump(FunctionTransformer(open), tmp_path / "loss.skops")
    mlflow.log_artifact(str(tmp_path / "loss.skops"))

    with pytest.raises(Refused, match="not made by the pipelines of Trimtab: not loaded"):
        read_companion("here", run, "loss.skops")


@pytest.mark.parametrize("read", [read_json, read_frame, read_companion])
def test_a_file_that_was_not_kept_is_refused(read: Any, run: str) -> None:
    with pytest.raises(Refused, match="has no artifact nothing"):
        read("here", run, "nothing")
