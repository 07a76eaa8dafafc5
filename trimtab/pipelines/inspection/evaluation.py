"""Pipeline `evaluation`: versions of a model on the same labelled rows."""

import logging
from typing import Final

import pandas as pd
from kedro.pipeline import Node, Pipeline, pipeline
from pydantic import JsonValue, TypeAdapter

from trimtab.contracts.fitted import ServedModels
from trimtab.contracts.model import ModelSpec, UnscorableVersion, VersionMetric
from trimtab.contracts.ports import Unavailable
from trimtab.contracts.redaction import redact_passwords
from trimtab.pipelines.history.remote import HistoryTable
from trimtab.pipelines.history.slices import read_slice_rows
from trimtab.pipelines.learning.challenger_comparison import (
    CrossFitPlan,
    JudgedChallenger,
    compare_challenger,
)
from trimtab.pipelines.requests import EvaluationRequest, build_request_node
from trimtab.pipelines.scoring.metrics import score_model

log = logging.getLogger(__name__)
_MAX_REASON_LENGTH: Final = 300
_METRICS: Final = TypeAdapter(tuple[VersionMetric, ...])


def select_slice(
    history: HistoryTable, spec: ModelSpec, request: EvaluationRequest
) -> pd.DataFrame:
    """Return the rows of the slice."""
    return read_slice_rows(history, spec, request.as_of, request.slice)


def measure_versions(
    rows: pd.DataFrame, spec: ModelSpec, request: EvaluationRequest, models: ServedModels
) -> dict[str, JsonValue]:
    """Return the metric of each version for which it is defined, which needs rows, for example.

    A version that cannot be scored, for example because it needs other columns, does not hide the
    metrics of the others: it is returned with the reason.
    """
    metrics: list[JsonValue] = []
    unscorable: list[JsonValue] = []
    for version in request.versions:
        try:
            value, count, error = score_model(models.version(version).load(), rows, spec)
        except Unavailable:
            raise  # a store is busy: another attempt may score it
        except Exception as failure:  # whatever a model of anybody's raises
            log.warning("version %s of %s cannot be scored", version, spec.name, exc_info=True)
            failed = UnscorableVersion(version=version, reason=_format_reason(failure))
            unscorable.append(failed.model_dump(mode="json"))
            continue
        if value is not None:
            measured = VersionMetric(
                version=version, metric=spec.metric, value=value, rows=count, error=error
            )
            metrics.append(measured.model_dump(mode="json"))
    return {"metrics": metrics, "unscorable": unscorable}


def compare_with_baseline(
    report: dict[str, JsonValue],
    rows: pd.DataFrame,
    history: HistoryTable,
    spec: ModelSpec,
    request: EvaluationRequest,
    models: ServedModels,
) -> dict[str, JsonValue]:
    """Return the report with comparisons of the measured versions with the baseline, if asked for.

    They are in the order of the versions. Where the slice cannot tell, one by cross-fitting
    follows, on rows that the judged models have not learnt from.
    """
    measured = {metric.version for metric in _METRICS.validate_python(report["metrics"])}
    if request.baseline is None or request.baseline not in measured:
        return {**report, "paired": []}
    champion = models.version(request.baseline)
    paired: list[JsonValue] = []
    for version in request.versions:
        if version == champion.version or version not in measured:
            continue
        challenger = JudgedChallenger(models.version(version).load(), version)
        comparisons = compare_challenger(
            history, spec, rows, champion, challenger, plan=_plan_cross_fit(request)
        )
        paired += [each.model_dump(mode="json") for each in comparisons]
    return {**report, "paired": paired}


def _plan_cross_fit(request: EvaluationRequest) -> CrossFitPlan | None:
    if not request.cross_fit:
        return None
    return CrossFitPlan(request.as_of, corrupt_too=request.corrupt_too, seed=request.seed)


def _format_reason(error: Exception) -> str:
    """Return the error in one printable line; it may repeat names from a model or a table."""
    line = " ".join(redact_passwords(f"{type(error).__name__}: {error}").split())
    shown = "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in line)
    return shown[:_MAX_REASON_LENGTH]


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
                "measured",
                name="measure_versions",
            ),
            Node(
                compare_with_baseline,
                [
                    "measured",
                    "window_rows",
                    "history",
                    "model_spec",
                    "request",
                    "registered_model",
                ],
                "report",
                name="compare_with_baseline",
            ),
        ]
    )
