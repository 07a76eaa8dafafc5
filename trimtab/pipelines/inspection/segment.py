"""Pipeline `segment`: the champion on the rows of one category, in training and in a window."""

from kedro.pipeline import Node, Pipeline, pipeline
from pydantic import JsonValue

from trimtab.contracts.fitted import SEGMENTS_FILE, ServedModel, ServedModels
from trimtab.contracts.model import ModelSpec, SegmentMetric
from trimtab.contracts.ports import Refused
from trimtab.pipelines.history.remote import HistoryTable
from trimtab.pipelines.history.rows import read_rows
from trimtab.pipelines.history.time_ranges import TimeRange
from trimtab.pipelines.learning.model_fitting import list_segment_columns
from trimtab.pipelines.requests import SegmentRequest, build_request_node
from trimtab.pipelines.scoring.metrics import score_model


def measure_segment(
    history: HistoryTable, spec: ModelSpec, request: SegmentRequest, models: ServedModels
) -> dict[str, JsonValue]:
    """Return the metric on the category's labelled rows, or None if it is undefined.

    Raises `Refused` if the column does not divide the rows into segments.
    """
    champion = models.champion()
    labelled = TimeRange(request.start, max(request.start, request.end - spec.label_delay))
    rows = read_rows(history, spec, labelled)
    columns = dict(list_segment_columns(rows, spec))
    if request.feature not in columns:
        msg = (
            f"{request.feature!r} does not divide {spec.name!r} into segments;"
            f" these columns do: {', '.join(columns) or 'none'}"
        )
        raise Refused(msg)
    chosen = rows[columns[request.feature] == request.segment]
    value, count, _ = score_model(champion.load(), chosen, spec)
    metric = SegmentMetric(
        feature=request.feature,
        segment=request.segment,
        metric=spec.metric,
        reference=_get_holdout_metric(champion, request),
        current=value,
        rows=count,
    )
    return {"segment": metric.model_dump(mode="json")}


def _get_holdout_metric(champion: ServedModel, request: SegmentRequest) -> float | None:
    """Return the metric on rows held out at training time; None if the category had none."""
    columns = champion.artifact(SEGMENTS_FILE)
    metrics = columns.get(request.feature)
    segment = metrics.get(request.segment) if isinstance(metrics, dict) else None
    value = segment.get("value") if isinstance(segment, dict) else None
    return float(value) if isinstance(value, int | float) else None


def create_pipeline() -> Pipeline:
    """Return the pipeline that measures the champion in one segment."""
    return pipeline(
        [
            build_request_node("segment"),
            Node(
                measure_segment,
                ["history", "model_spec", "request", "registered_model"],
                "report",
                name="measure_segment",
            ),
        ]
    )
