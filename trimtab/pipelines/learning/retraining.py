"""Pipeline `retraining`: a challenger for an incident, made once whatever is repeated."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from kedro.pipeline import Node, Pipeline, pipeline
from pydantic import JsonValue

from trimtab.contracts import tags as tag
from trimtab.contracts.fitted import (
    FittedModel,
    ServedModel,
    ServedModels,
    expected_metric_name,
    standard_error_name,
)
from trimtab.contracts.model import ModelSpec
from trimtab.pipelines.history.profiling import reference_profile
from trimtab.pipelines.history.remote import History
from trimtab.pipelines.history.slices import in_memory, learnable
from trimtab.pipelines.history.time_ranges import Span
from trimtab.pipelines.learning.model_fitting import learn
from trimtab.pipelines.learning.training_data import (
    best_span,
    corrupt_windows,
    refuse_corrupt,
    without,
)
from trimtab.pipelines.requests import RetrainingRequest, request_node


def train_challenger(
    history: History, spec: ModelSpec, request: RetrainingRequest, models: ServedModels
) -> FittedModel | ServedModel:
    """The version that carries the key, or else one learnt from all that comes before the gate."""
    made = models.made_by(request.key)
    if made is not None:
        return made
    champion = models.champion()
    reference = reference_profile(champion)
    history = in_memory(history, spec, request.as_of)
    if not request.corrupt_too:
        refuse_corrupt(history, spec, request.as_of, reference=reference)
    corrupt = corrupt_windows(history, spec, request.as_of, reference=reference)
    sound = learnable(without(history, spec, corrupt), spec, request.as_of)
    held = held_to(champion, spec.metric)
    standard = held.get(expected_metric_name(spec.metric))
    fitted = learn(
        sound.history,
        spec,
        span=best_span(sound, spec, standard=standard, seed=request.seed),
        seed=request.seed,
        tags={
            tag.ROLE_TAG: "challenger",
            tag.EFFECT_KEY_TAG: request.key,
            tag.EVENT_ID_TAG: request.event_id,
            tag.CORRELATION_ID_TAG: request.correlation_id,
            tag.PLAN_HASH_TAG: request.plan_hash,
            **_left_out(corrupt),
        },
    )
    return replace(fitted, metrics={**fitted.metrics, **held})


def _left_out(corrupt: Sequence[Span]) -> dict[str, str]:
    starts = ", ".join(f"{span.start:%Y-%m-%dT%H:%MZ}" for span in corrupt)
    return {tag.EXCLUDED_WINDOWS_TAG: starts} if corrupt else {}


def held_to(champion: ServedModel, metric: str) -> Mapping[str, float]:
    """The metric that the line of champions is expected to keep: what the first one had."""
    name = (
        expected_metric_name(metric) if expected_metric_name(metric) in champion.metrics else metric
    )
    pairs = {
        expected_metric_name(metric): champion.metrics.get(name),
        standard_error_name(expected_metric_name(metric)): champion.metrics.get(
            standard_error_name(name)
        ),
    }
    return {name: value for name, value in pairs.items() if value is not None}


def note_reuse(request: RetrainingRequest, models: ServedModels) -> bool:
    """Whether the key's version stood before this run."""
    return models.made_by(request.key) is not None


def report_challenger(
    request: RetrainingRequest,
    models: ServedModels,
    reused: bool,  # noqa: FBT001 - a node's input
) -> dict[str, JsonValue]:
    """What stands in the registry now, read back."""
    made = models.made_by(request.key)
    assert made is not None  # noqa: S101 - it was saved before
    return {
        "version": made.version,
        "reused": reused,
        "rows": int(made.tags[tag.TRAINED_ROWS_TAG]),
        "trained_on": reference_profile(made).window.model_dump(mode="json"),
    }


def create_pipeline() -> Pipeline:
    """A challenger without an alias."""
    return pipeline(
        [
            request_node("retraining"),
            Node(note_reuse, ["request", "registered_model"], "reused"),
            Node(
                train_challenger,
                ["history", "model_spec", "request", "registered_model"],
                "new_version",
            ),
            Node(report_challenger, ["request", "new_version", "reused"], "report"),
        ]
    )
