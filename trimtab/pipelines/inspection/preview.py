"""Pipeline `preview`: what a retraining would give, without a new version.

The challenger is trained in memory as `retraining` would train it, and compared with the champion
as the gate would. Nothing is registered, so nobody needs to have allowed it.
"""

from kedro.pipeline import Node, Pipeline, pipeline
from pydantic import JsonValue

from trimtab.contracts.fitted import ServedModel, ServedModels
from trimtab.contracts.model import ModelSpec, Slice
from trimtab.contracts.ports import Refused
from trimtab.pipelines.history.remote import HistoryTable
from trimtab.pipelines.history.rows import keep_valid_targets, read_rows
from trimtab.pipelines.history.slices import read_slice_rows
from trimtab.pipelines.learning.challenger_comparison import (
    CrossFitPlan,
    JudgedChallenger,
    compare_challenger,
)
from trimtab.pipelines.learning.challenger_rows import select_challenger_rows
from trimtab.pipelines.learning.model_fitting import MIN_TRAINING_ROWS
from trimtab.pipelines.requests import PreviewRequest, build_request_node
from trimtab.pipelines.scoring.estimator import fit_estimator


def compare_trial_challenger(
    history: HistoryTable, spec: ModelSpec, request: PreviewRequest, models: ServedModels
) -> dict[str, JsonValue]:
    """Return the comparisons of a challenger in memory with the champion, or why there is none."""
    champion = models.champion()
    newest = read_slice_rows(history, spec, request.as_of, Slice.RECENT)
    report: dict[str, JsonValue] = {
        "champion": champion.version,
        "window_rows": len(keep_valid_targets(newest, spec)),
        "paired": [],
        "refusal": "",
    }
    plan = CrossFitPlan(request.as_of, corrupt_too=request.corrupt_too, seed=request.seed)
    try:
        challenger = _train_in_memory(history, spec, champion, plan=plan)
    except Refused as refusal:
        return {**report, "refusal": str(refusal)}
    held_out = read_slice_rows(history, spec, request.as_of, Slice.GATE)
    comparisons = compare_challenger(history, spec, held_out, champion, challenger, plan=plan)
    return {**report, "paired": [each.model_dump(mode="json") for each in comparisons]}


def _train_in_memory(
    history: HistoryTable, spec: ModelSpec, champion: ServedModel, *, plan: CrossFitPlan
) -> JudgedChallenger:
    """Return a challenger that is not registered; raises `Refused` as a retraining would."""
    selected = select_challenger_rows(history, spec, champion, **plan._asdict())
    rows = keep_valid_targets(read_rows(selected.history, spec, selected.time_range), spec)
    if len(rows) < MIN_TRAINING_ROWS:
        msg = f"{len(rows)} labelled rows to learn from: at least {MIN_TRAINING_ROWS} are needed"
        raise Refused(msg)
    return JudgedChallenger(fit_estimator(rows, spec, seed=plan.seed), version="")


def create_pipeline() -> Pipeline:
    """Return the pipeline that tries a retraining without keeping it."""
    return pipeline(
        [
            build_request_node("preview"),
            Node(
                compare_trial_challenger,
                ["history", "model_spec", "request", "registered_model"],
                "report",
                name="compare_trial_challenger",
            ),
        ]
    )
