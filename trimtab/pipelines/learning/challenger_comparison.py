"""Compares a challenger with the champion on rows that neither has learnt from.

These are the rows of the gate. Where they are too few to tell, rows of the newest windows that the
challenger has learnt from join them: each stretch of these is judged by a model that was trained in
the same way on everything but this stretch (cross-fitting). The rows of the verification stay
unseen.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from policies.promotion_gate import rate_challenger
from trimtab.contracts import tags as tag
from trimtab.contracts.fitted import ServedModel
from trimtab.contracts.model import GateOutcome, ModelSpec, PairedComparison
from trimtab.contracts.ports import Refused
from trimtab.detection.onboarding.predictions import LoggedPredictions
from trimtab.detection.performance.paired_comparison import compare_outputs
from trimtab.detection.performance.skill_floor import compute_skill_floor
from trimtab.pipelines.history.remote import HistoryTable
from trimtab.pipelines.history.rows import cast_targets, keep_valid_targets, read_rows
from trimtab.pipelines.learning.challenger_rows import (
    ChallengerRows,
    select_challenger_rows,
)
from trimtab.pipelines.learning.model_fitting import MIN_TRAINING_ROWS
from trimtab.pipelines.scoring.estimator import fit_estimator
from trimtab.pipelines.scoring.metrics import label_row_clusters
from trimtab.pipelines.scoring.predictions import Predictor, predict_outputs
from trimtab.pipelines.scoring.realised_performance import get_reference_metric

MAX_ROWS_TO_CROSS_FIT: Final = 1_000
"""Rows of the gate from which on it does not need any others."""
CROSS_FIT_ROWS: Final = 300
"""Rows that cross-fitting looks for in the newest windows."""
CROSS_FIT_WINDOWS: Final = 4
"""Newest windows in which it looks for them: older ones may show a world that has passed."""
CROSS_FIT_FOLDS: Final = 3
"""Stretches of time into which these rows are split, each with a model of its own."""


class CrossFitPlan(NamedTuple):
    """How the challenger was trained, so that others can be trained like it."""

    as_of: datetime
    corrupt_too: bool
    seed: int


class JudgedChallenger(NamedTuple):
    """A challenger, registered or not."""

    model: Predictor
    version: str
    """Empty if it is not registered."""


def compare_challenger(
    history: HistoryTable,
    spec: ModelSpec,
    held_out: pd.DataFrame,
    champion: ServedModel,
    challenger: JudgedChallenger,
    *,
    plan: CrossFitPlan | None,
) -> list[PairedComparison]:
    """Return the comparison on rows held out from training, then on more rows if it cannot tell.

    There is none where the metric is undefined, and no second one without a plan.
    """
    outputs = _predict_pair(champion.load(), challenger.model, held_out, spec)
    first = _build_comparison(outputs, spec, champion, challenger)
    found = [] if first is None else [first]
    answer = rate_challenger(found, margin=spec.promotion_margin)
    undecided = answer.outcome is GateOutcome.CANNOT_TELL
    if plan is None or not undecided or len(outputs.rows) >= MAX_ROWS_TO_CROSS_FIT:
        return found
    more = _cross_fit(history, spec, champion, plan=plan)
    if more is None:
        return found
    everything = _join_outputs([more, outputs])
    second = _build_comparison(everything, spec, champion, challenger, cross_fitted=True)
    return found if second is None else [*found, second]


class PairOutputs(NamedTuple):
    """What two models say about the same clean rows; all have the rows' index."""

    rows: pd.DataFrame
    before: "pd.Series[Any]"
    after: "pd.Series[Any]"


def _predict_pair(
    champion: Predictor, challenger: Predictor, rows: pd.DataFrame, spec: ModelSpec
) -> PairOutputs:
    clean = keep_valid_targets(rows, spec)
    for model in (champion, challenger):
        if isinstance(model, LoggedPredictions):
            clean = model.select_rows(clean)
    before, after = (predict_outputs(each, clean, spec) for each in (champion, challenger))
    return PairOutputs(clean, before, after)


def _build_comparison(
    outputs: PairOutputs,
    spec: ModelSpec,
    champion: ServedModel,
    challenger: JudgedChallenger,
    *,
    cross_fitted: bool = False,
) -> PairedComparison | None:
    """Return the comparison; None if undefined, or if the scores are of different classes."""
    rows, before, after = outputs
    truth = cast_targets(rows, spec)
    if spec.metric == "roc_auc":
        if before.name != after.name:
            return None
        truth = truth == before.name
    found = compare_outputs(
        spec.metric, truth, (before, after), clusters=label_row_clusters(rows, spec)
    )
    if found is None:
        return None
    reference = get_reference_metric(champion, spec.metric)
    floor = compute_skill_floor(
        spec.metric,
        classes=truth.nunique(),
        reference=reference[0] if reference else None,
    )
    return PairedComparison(
        champion=champion.version,
        challenger=challenger.version,
        metric=spec.metric,
        floor=floor,
        cross_fitted=cross_fitted,
        **found._asdict(),
    )


def _cross_fit(
    history: HistoryTable, spec: ModelSpec, champion: ServedModel, *, plan: CrossFitPlan
) -> PairOutputs | None:
    """Return what the champion and models like the challenger say about rows of newest windows.

    None if there are too few rows to train or to judge.
    """
    try:
        learnt = select_challenger_rows(history, spec, champion, **plan._asdict())
    except Refused:
        return None
    rows = read_rows(learnt.history, spec, learnt.time_range)
    training = keep_valid_targets(rows, spec).reset_index(drop=True)
    judged = _find_judged_rows(training, spec, champion, learnt)
    folds = _split_by_time(training[judged], spec)
    found = [_judge_fold(training, fold, spec, champion, seed=plan.seed) for fold in folds]
    complete = [each for each in found if each is not None]
    return _join_outputs(complete) if complete and len(complete) == len(folds) else None


def _join_outputs(outputs: Sequence[PairOutputs]) -> PairOutputs:
    rows, before, after = zip(*outputs, strict=True)
    return PairOutputs(pd.concat(rows), pd.concat(before), pd.concat(after))


def _find_judged_rows(
    training: pd.DataFrame, spec: ModelSpec, champion: ServedModel, learnt: ChallengerRows
) -> "pd.Series[bool]":
    """Return which training rows to judge: of as few of the newest windows as give enough rows.

    Rows that the champion has learnt from are left out: it would look too good on them.
    """
    times = training[spec.timestamp]
    until = champion.tags.get(tag.TRAINED_END_TAG)
    unseen = times >= pd.Timestamp(until or learnt.time_range.start)
    chosen = unseen & (times >= learnt.newest.start)
    for windows in range(1, CROSS_FIT_WINDOWS):
        if chosen.sum() >= CROSS_FIT_ROWS:
            break
        chosen = unseen & (times >= learnt.newest.start - windows * spec.window)
    return chosen


def _split_by_time(rows: pd.DataFrame, spec: ModelSpec) -> list[pd.DataFrame]:
    """Return the rows in stretches of time; every n-th row where they share a few instants."""
    if len(rows) < MIN_TRAINING_ROWS:
        return []
    times = rows[spec.timestamp]
    fold = pd.Series(np.arange(len(rows)) % CROSS_FIT_FOLDS, index=rows.index)
    if times.nunique() >= 2 * CROSS_FIT_FOLDS:
        edges = times.quantile([step / CROSS_FIT_FOLDS for step in range(1, CROSS_FIT_FOLDS)])
        fold = pd.Series(np.searchsorted(edges, times, side="right"), index=rows.index)
    return [rows[fold == number] for number in sorted(fold.unique())]


def _judge_fold(
    training: pd.DataFrame,
    fold: pd.DataFrame,
    spec: ModelSpec,
    champion: ServedModel,
    *,
    seed: int,
) -> PairOutputs | None:
    rest = training.drop(index=fold.index)
    if len(rest) < MIN_TRAINING_ROWS:
        return None
    try:
        model = fit_estimator(rest, spec, seed=seed)
    except Refused:
        return None  # one class only
    return _predict_pair(champion.load(), model, fold, spec)
