"""What is kept beside a model in its MLflow run: JSON, tables, and further models in skops format.

What is read is kept in memory: a version's files never change.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

import mlflow
import pandas as pd
import skops.io
from mlflow.exceptions import MlflowException
from pyarrow import parquet
from pydantic import JsonValue

from trimtab.adapters.registry.tracking import faults_sorted
from trimtab.contracts.fitted import Baseline, FittedModel
from trimtab.contracts.ports import Refused

TRUSTED_TYPES: Final = (
    "functools.partial",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.utils.validation.check_array",
)
"""What a gradient-boosting pipeline holds beyond what skops trusts by itself."""
ESTIMATORS_KEPT: Final = 8
ARTIFACTS_KEPT: Final = 64


def log_files(fitted: FittedModel | Baseline) -> None:
    """Keep them with the active run."""
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
    """One JSON object; raises `Refused` where there is none."""
    with refused_where_missing(f"run {run_id} has no artifact {name}"):
        content: dict[str, JsonValue] = mlflow.artifacts.load_dict(f"runs:/{run_id}/{name}")
        return content


@lru_cache(maxsize=ESTIMATORS_KEPT)
def read_frame(_tracking: str, run_id: str, name: str) -> pd.DataFrame:
    """One Parquet table; raises `Refused` where there is none."""
    with _downloaded(run_id, name) as path:
        frame: pd.DataFrame = parquet.read_table(path, memory_map=False).to_pandas()
        return frame


@lru_cache(maxsize=ESTIMATORS_KEPT)
def read_companion(_tracking: str, run_id: str, name: str) -> Any:  # noqa: ANN401 - scikit-learn has no types
    """One further model; raises `Refused` where there is none, or one that may smuggle in code."""
    with _downloaded(run_id, name) as path:
        if not set(skops.io.get_untrusted_types(file=path)) <= set(TRUSTED_TYPES):
            msg = f"{name} of run {run_id} was not made by the pipelines of Trimtab: not loaded"
            raise Refused(msg)
        return skops.io.load(path, trusted=list(TRUSTED_TYPES))


@contextmanager
def refused_where_missing(message: str, error_type: type[Refused] = Refused) -> Iterator[None]:
    """Turn "there is none" into `Refused`, or a kind of it, with what to do about it."""
    with faults_sorted():
        try:
            yield
        except MlflowException as error:
            if error.error_code not in {"RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"}:
                raise
            raise error_type(message) from error


@contextmanager
def _downloaded(run_id: str, name: str) -> Iterator[str]:
    with TemporaryDirectory() as folder:
        with refused_where_missing(f"run {run_id} has no artifact {name}"):
            uri = f"runs:/{run_id}/{name}"
            path = mlflow.artifacts.download_artifacts(artifact_uri=uri, dst_path=folder)
        yield str(path)
