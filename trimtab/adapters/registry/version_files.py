"""Keeps files beside a model in its MLflow run: JSON, tables, and further models in skops format.

Files that were read stay in memory: a version's files never change.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, TypeAlias

import mlflow
import pandas as pd
import skops.io
from mlflow.exceptions import MlflowException
from pyarrow import parquet
from pydantic import JsonValue

from trimtab.adapters.registry.tracking import translate_mlflow_errors
from trimtab.contracts.fitted import Baseline, FittedModel
from trimtab.contracts.ports import Refused

TRUSTED_TYPES: Final = (
    "functools.partial",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.utils.validation.check_array",
)
"""Types in a gradient-boosting pipeline that skops does not trust on its own."""
ESTIMATORS_KEPT: Final = 8
"""Estimators and tables that a process keeps in memory."""
ARTIFACTS_KEPT: Final = 64
"""JSON files that a process keeps in memory."""

Estimator: TypeAlias = Any
"""A scikit-learn pipeline, which has no types."""


def log_files(fitted: FittedModel | Baseline) -> None:
    """Log the files of a model or baseline with the active run."""
    for name, content in fitted.artifacts.items():
        mlflow.log_dict(content, name)
    with TemporaryDirectory() as folder:
        for name, frame in fitted.frames.items():
            frame.to_parquet(Path(folder) / name, index=False, compression="zstd")
        for name, companion in fitted.companions.items():
            skops.io.dump(companion, Path(folder) / name)
        for path in Path(folder).iterdir():
            mlflow.log_artifact(str(path))


@lru_cache(maxsize=ARTIFACTS_KEPT)
def read_json(_tracking: str, run_id: str, name: str) -> dict[str, JsonValue]:
    """Return the JSON object in one of a run's files.

    Raises:
        Refused: There is no such file.
    """
    with refuse_if_missing(f"run {run_id} has no artifact {name}"):
        content: dict[str, JsonValue] = mlflow.artifacts.load_dict(f"runs:/{run_id}/{name}")
        return content


@lru_cache(maxsize=ESTIMATORS_KEPT)
def read_frame(_tracking: str, run_id: str, name: str) -> pd.DataFrame:
    """Return the Parquet table in one of a run's files.

    Raises:
        Refused: There is no such file.
    """
    with _download(run_id, name) as path:
        frame: pd.DataFrame = parquet.read_table(path, memory_map=False).to_pandas()
        return frame


@lru_cache(maxsize=ESTIMATORS_KEPT)
def read_companion(_tracking: str, run_id: str, name: str) -> Estimator:
    """Return the further model in one of a run's files.

    Raises:
        Refused: There is no such file, or it holds types that may run code.
    """
    with _download(run_id, name) as path:
        if not set(skops.io.get_untrusted_types(file=path)) <= set(TRUSTED_TYPES):
            msg = f"{name} of run {run_id} was not made by the pipelines of Trimtab: not loaded"
            raise Refused(msg)
        return skops.io.load(path, trusted=list(TRUSTED_TYPES))


@contextmanager
def refuse_if_missing(message: str, error_type: type[Refused] = Refused) -> Iterator[None]:
    """Raise `Refused`, or a kind of it, with the message if MLflow has no such thing."""
    with translate_mlflow_errors():
        try:
            yield
        except MlflowException as error:
            if error.error_code not in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}:
                raise
            raise error_type(message) from error


@contextmanager
def _download(run_id: str, name: str) -> Iterator[str]:
    with TemporaryDirectory() as folder:
        with refuse_if_missing(f"run {run_id} has no artifact {name}"):
            uri = f"runs:/{run_id}/{name}"
            path = mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=folder)
        yield str(path)
