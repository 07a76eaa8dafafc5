"""Pipeline `retraining`: a challenger for an incident, made once however often it is asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from kedro.pipeline import Node, Pipeline, pipeline
from pydantic import JsonValue

from trimtab.contracts import tags as tag
from trimtab.contracts.fitted import (
    FittedModel,
    ServedModel,
    ServedModels,
    expected_metric_name,
    spread_name,
    standard_error_name,
)
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.ports import Refused
from trimtab.pipelines.history.profiling import load_reference_profile
from trimtab.pipelines.history.remote import HistoryTable
from trimtab.pipelines.history.time_ranges import TimeRange
from trimtab.pipelines.learning.challenger_rows import select_challenger_rows
from trimtab.pipelines.learning.model_fitting import fit_model
from trimtab.pipelines.requests import RetrainingRequest, build_request_node


def train_challenger(
    history: HistoryTable, spec: ModelSpec, request: RetrainingRequest, models: ServedModels
) -> FittedModel | ServedModel:
    """Return the version with the request's key, or a new one trained on rows before the gate."""
    made = models.made_by(request.key)
    if made is not None:
        return made
    champion = models.champion()
    rows = select_challenger_rows(
        history,
        spec,
        champion,
        as_of=request.as_of,
        corrupt_too=request.corrupt_too,
        seed=request.seed,
    )
    holdout = get_holdout_metrics(champion, spec.metric)
    fitted = fit_model(
        rows.history,
        spec,
        time_range=rows.time_range,
        seed=request.seed,
        tags={
            tag.ROLE_TAG: "challenger",
            tag.EFFECT_KEY_TAG: request.key,
            tag.EVENT_ID_TAG: request.event_id,
            tag.CORRELATION_ID_TAG: request.correlation_id,
            tag.PLAN_HASH_TAG: request.plan_hash,
            **_tag_excluded(rows.corrupt),
        },
    )
    return replace(fitted, metrics={**fitted.metrics, **holdout})


def _tag_excluded(corrupt: Sequence[TimeRange]) -> dict[str, str]:
    """Return a tag with the starts of the windows that were excluded, if there are any."""
    starts = ", ".join(f"{window.start:%Y-%m-%dT%H:%MZ}" for window in corrupt)
    return {tag.EXCLUDED_WINDOWS_TAG: starts} if corrupt else {}


def get_holdout_metrics(champion: ServedModel, metric: str) -> Mapping[str, float]:
    """Return the held-out metric of the first champion, which all later versions must keep.

    Its name is as `expected_metric_name` says. Its standard error and its spread between windows
    are included if they are known.
    """
    kept = expected_metric_name(metric)
    name = kept if kept in champion.metrics else metric
    pairs = {
        kept: champion.metrics.get(name),
        standard_error_name(kept): champion.metrics.get(standard_error_name(name)),
        spread_name(kept): champion.metrics.get(spread_name(name)),
    }
    return {name: value for name, value in pairs.items() if value is not None}


class Reuse(NamedTuple):
    """Whether a run makes a new version."""

    reused: bool
    """Whether the version with the request's key existed before the run."""


def check_reuse(request: RetrainingRequest, models: ServedModels) -> Reuse:
    """Return whether the version with the request's key exists already."""
    return Reuse(models.made_by(request.key) is not None)


def report_challenger(
    request: RetrainingRequest, models: ServedModels, reuse: Reuse
) -> dict[str, JsonValue]:
    """Return what is in the registry now, read back."""
    made = models.made_by(request.key)
    if made is None:
        msg = f"no version of the model has the key {request.key}, although it was just saved"
        raise Refused(msg)
    return {
        "version": made.version,
        "reused": reuse.reused,
        "rows": int(made.tags[tag.TRAINED_ROWS_TAG]),
        "trained_on": load_reference_profile(made).window.model_dump(mode="json"),
    }


def create_pipeline() -> Pipeline:
    """Return the pipeline that trains and registers a challenger without an alias."""
    return pipeline(
        [
            build_request_node("retraining"),
            Node(check_reuse, ["request", "registered_model"], "reused", name="check_reuse"),
            Node(
                train_challenger,
                ["history", "model_spec", "request", "registered_model"],
                "new_version",
                name="train_challenger",
            ),
            Node(
                report_challenger,
                ["request", "new_version", "reused"],
                "report",
                name="report_challenger",
            ),
        ]
    )
