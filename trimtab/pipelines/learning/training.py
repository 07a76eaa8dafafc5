"""Pipeline `training`: the first champion, from the first windows of a model's history."""

from dataclasses import replace

from kedro.pipeline import Node, Pipeline, pipeline
from pydantic import JsonValue

from trimtab.contracts import tags as tag
from trimtab.contracts.fitted import FittedModel, ServedModels
from trimtab.contracts.model import ModelSpec
from trimtab.pipelines.history.profiling import reference_profile, reference_uri
from trimtab.pipelines.history.remote import History
from trimtab.pipelines.history.rows import first_window_start
from trimtab.pipelines.history.time_ranges import reference_span
from trimtab.pipelines.learning.model_fitting import learn
from trimtab.pipelines.requests import TrainingRequest, request_node


def train_champion(history: History, spec: ModelSpec, request: TrainingRequest) -> FittedModel:
    """Learn from the reference windows."""
    span = reference_span(spec, first_window_start(history, spec))
    fitted = learn(history, spec, span=span, seed=request.seed, tags={tag.ROLE_TAG: "champion"})
    return replace(fitted, alias="champion")


def report_champion(models: ServedModels, spec: ModelSpec) -> dict[str, JsonValue]:
    """What was registered."""
    champion = models.champion()
    return {
        "version": champion.version,
        "metric": spec.metric,
        "value": champion.metrics[spec.metric],
        "rows": int(champion.tags[tag.TRAINED_ROWS_TAG]),
        "holdout_rows": int(champion.metrics["holdout_rows"]),
        "profile_uri": reference_uri(champion),
        "reference": reference_profile(champion).window.model_dump(mode="json"),
    }


def create_pipeline() -> Pipeline:
    """The first champion."""
    return pipeline(
        [
            request_node("training"),
            Node(train_champion, ["history", "model_spec", "request"], "new_version"),
            Node(report_champion, ["new_version", "model_spec"], "report"),
        ]
    )
