"""Pipeline `evaluation`: versions of a model on the same labelled rows."""

import pandas as pd
from kedro.pipeline import Node, Pipeline, pipeline
from pydantic import JsonValue

from trimtab.contracts.fitted import ServedModels
from trimtab.contracts.model import ModelSpec, VersionMetric
from trimtab.pipelines.history.remote import HistoryTable
from trimtab.pipelines.history.slices import read_slice_rows
from trimtab.pipelines.requests import EvaluationRequest, build_request_node
from trimtab.pipelines.scoring.metrics import score_model


def select_slice(
    history: HistoryTable, spec: ModelSpec, request: EvaluationRequest
) -> pd.DataFrame:
    """Return the rows of the slice."""
    return read_slice_rows(history, spec, request.as_of, request.slice)


def measure_versions(
    rows: pd.DataFrame, spec: ModelSpec, request: EvaluationRequest, models: ServedModels
) -> dict[str, JsonValue]:
    """Return the metric of each version for which it is defined, which needs rows, for example."""
    metrics: list[JsonValue] = []
    for version in request.versions:
        value, count, error = score_model(models.version(version).load(), rows, spec)
        if value is not None:
            measured = VersionMetric(
                version=version, metric=spec.metric, value=value, rows=count, error=error
            )
            metrics.append(measured.model_dump(mode="json"))
    return {"metrics": metrics}


def create_pipeline() -> Pipeline:
    """Return the pipeline that measures versions on the same rows."""
    return pipeline(
        [
            build_request_node("evaluation"),
            Node(
                select_slice,
                ["history", "model_spec", "request"],
                "window_rows",
                name="select_slice",
            ),
            Node(
                measure_versions,
                ["window_rows", "model_spec", "request", "registered_model"],
                "report",
                name="measure_versions",
            ),
        ]
    )
