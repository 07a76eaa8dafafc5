"""Pipeline `segment`: the champion on the rows of one category, then and now."""

from kedro.pipeline import Node, Pipeline, pipeline
from pydantic import JsonValue

from trimtab.contracts.fitted import SEGMENTS_FILE, ServedModel, ServedModels
from trimtab.contracts.model import ModelSpec, SegmentMetric
from trimtab.contracts.ports import Refused
from trimtab.pipelines.history.remote import History
from trimtab.pipelines.history.rows import rows_between
from trimtab.pipelines.history.time_ranges import Span
from trimtab.pipelines.learning.model_fitting import categories
from trimtab.pipelines.requests import SegmentRequest, request_node
from trimtab.pipelines.scoring import estimator


def measure_segment(
    history: History, spec: ModelSpec, request: SegmentRequest, models: ServedModels
) -> dict[str, JsonValue]:
    """The metric on the category's labelled rows; None where it is undefined."""
    champion = models.champion()
    labelled = Span(request.start, max(request.start, request.end - spec.label_delay))
    rows = rows_between(history, spec, labelled)
    columns = dict(categories(rows, spec))
    if request.feature not in columns:
        msg = (
            f"{request.feature!r} does not part {spec.name!r} into segments;"
            f" these do: {', '.join(columns) or 'none'}"
        )
        raise Refused(msg)
    chosen = rows[columns[request.feature] == request.segment]
    value, count, _ = estimator.score(champion.load(), chosen, spec)
    metric = SegmentMetric(
        feature=request.feature,
        segment=request.segment,
        metric=spec.metric,
        reference=_held_out(champion, request),
        current=value,
        rows=count,
    )
    return {"segment": metric.model_dump(mode="json")}


def _held_out(champion: ServedModel, request: SegmentRequest) -> float | None:
    """What was measured on rows held out at training time; None where the category had none."""
    columns = champion.artifact(SEGMENTS_FILE)
    metrics = columns.get(request.feature)
    found = metrics.get(request.segment) if isinstance(metrics, dict) else None
    value = found.get("value") if isinstance(found, dict) else None
    return float(value) if isinstance(value, int | float) else None


def create_pipeline() -> Pipeline:
    """One category then and now."""
    return pipeline(
        [
            request_node("segment"),
            Node(
                measure_segment,
                ["history", "model_spec", "request", "registered_model"],
                "report",
            ),
        ]
    )
