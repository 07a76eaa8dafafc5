"""Pipeline `evaluation`: versions side by side on the same labelled rows."""

from kedro.pipeline import Node, Pipeline, pipeline
from pydantic import JsonValue

from trimtab.contracts.fitted import ServedModels
from trimtab.contracts.model import ModelSpec, VersionMetric
from trimtab.pipelines.history.remote import History
from trimtab.pipelines.history.rows import Table
from trimtab.pipelines.history.slices import slice_rows
from trimtab.pipelines.requests import EvaluationRequest, request_node
from trimtab.pipelines.scoring import estimator


def select_slice(history: History, spec: ModelSpec, request: EvaluationRequest) -> Table:
    """The rows of the slice."""
    return slice_rows(history, spec, request.as_of, request.slice)


def measure_versions(
    rows: Table, spec: ModelSpec, request: EvaluationRequest, models: ServedModels
) -> dict[str, JsonValue]:
    """Each version's metric; a version is left out where the metric is undefined (no rows, say)."""
    metrics: list[JsonValue] = []
    for version in request.versions:
        value, count, _ = estimator.score(models.version(version).load(), rows, spec)
        if value is not None:
            measured = VersionMetric(version=version, metric=spec.metric, value=value, rows=count)
            metrics.append(measured.model_dump(mode="json"))
    return {"metrics": metrics}


def create_pipeline() -> Pipeline:
    """Versions side by side."""
    return pipeline(
        [
            request_node("evaluation"),
            Node(select_slice, ["history", "model_spec", "request"], "window_rows"),
            Node(
                measure_versions,
                ["window_rows", "model_spec", "request", "registered_model"],
                "report",
            ),
        ]
    )
