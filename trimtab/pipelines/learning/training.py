"""Pipeline `training`: the first champion, from the first windows of a model's history."""

from dataclasses import replace

from kedro.pipeline import Node, Pipeline, pipeline
from pydantic import JsonValue

from trimtab.contracts import tags as tag
from trimtab.contracts.fitted import FittedModel, ServedModels
from trimtab.contracts.model import ModelSpec
from trimtab.pipelines.history.profiling import build_reference_uri, load_reference_profile
from trimtab.pipelines.history.remote import HistoryTable
from trimtab.pipelines.history.rows import find_first_window_start
from trimtab.pipelines.history.time_ranges import compute_reference_range
from trimtab.pipelines.learning.model_fitting import fit_model
from trimtab.pipelines.requests import TrainingRequest, build_request_node


def train_champion(history: HistoryTable, spec: ModelSpec, request: TrainingRequest) -> FittedModel:
    """Train the first champion on the reference windows."""
    reference = compute_reference_range(spec, find_first_window_start(history, spec))
    fitted = fit_model(
        history,
        spec,
        time_range=reference,
        seed=request.seed,
        tags={tag.ROLE_TAG: "champion"},
    )
    return replace(fitted, alias="champion")


def report_champion(models: ServedModels, spec: ModelSpec) -> dict[str, JsonValue]:
    """Return what was registered."""
    champion = models.champion()
    return {
        "version": champion.version,
        "metric": spec.metric,
        "value": champion.metrics[spec.metric],
        "rows": int(champion.tags[tag.TRAINED_ROWS_TAG]),
        "holdout_rows": int(champion.metrics["holdout_rows"]),
        "profile_uri": build_reference_uri(champion),
        "reference": load_reference_profile(champion).window.model_dump(mode="json"),
    }


def create_pipeline() -> Pipeline:
    """Return the pipeline that trains and registers the first champion."""
    return pipeline(
        [
            build_request_node("training"),
            Node(
                train_champion,
                ["history", "model_spec", "request"],
                "new_version",
                name="train_champion",
            ),
            Node(report_champion, ["new_version", "model_spec"], "report", name="report_champion"),
        ]
    )
