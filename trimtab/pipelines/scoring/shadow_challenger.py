"""Trains a cheap model of the newest rows, and compares it with the champion on later ones.

It shows whether a retraining would help, also where nothing degraded. It is never registered.
"""

import math
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from operator import itemgetter
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from trimtab.contracts.fitted import ServedModel
from trimtab.contracts.model import ModelSpec, Task
from trimtab.contracts.ports import Refused
from trimtab.contracts.window_signals import ShadowChallenger
from trimtab.detection.drift.domain_classifier import sample_frame
from trimtab.detection.onboarding.predictions import LoggedPredictions
from trimtab.detection.performance.block_jackknife import compute_jackknife_error
from trimtab.detection.performance.rare_classes import count_rarest_class
from trimtab.detection.profiles.arrays import BoolArray
from trimtab.pipelines.history.profiling import load_reference_profile
from trimtab.pipelines.history.remote import HistoryTable
from trimtab.pipelines.history.rows import cast_targets, keep_valid_targets, read_rows
from trimtab.pipelines.history.slices import has_coarse_times
from trimtab.pipelines.history.time_ranges import TimeRange
from trimtab.pipelines.scoring.estimator import fit_estimator
from trimtab.pipelines.scoring.metrics import compute_metric, has_enough_classes
from trimtab.pipelines.scoring.predictions import choose_predictor, predict_outputs

MIN_CHALLENGED_ROWS: Final = 200
"""Labelled rows of the window that a shadow challenger needs."""
MAX_COMPARED_ROWS: Final = 4_000
"""Rows of the window that are used at most, a random sample of more."""
MAX_LEARNED_ROWS: Final = 2_000
"""Rows that each model learns from at most, the newest ones."""
MIN_LEARNED_ROWS: Final = 100
TRAINED_SHARE: Final = 0.5
"""Share of the window that is learnt from only; the rest is predicted in two steps."""
SECOND_STEP: Final = 0.75
"""Share of the window from which the second model predicts; it learns from what precedes."""


class LabelledWindow(NamedTuple):
    """A window and its labelled rows."""

    rows: pd.DataFrame
    time_range: TimeRange
    lossy: int = 0
    """Windows in a row with a loss, this one included; 0 if it has none."""


def measure_shadow_challenger(
    window: LabelledWindow, history: HistoryTable, spec: ModelSpec, champion: ServedModel
) -> ShadowChallenger | None:
    """Return the comparison; None if rows are too few, or the champion learned from the window."""
    clean = keep_valid_targets(window.rows, spec)
    too_few = len(clean) < MIN_CHALLENGED_ROWS or not has_enough_classes(clean, spec)
    if too_few or load_reference_profile(champion).window.end > window.time_range.start:
        return None
    rows = _order_rows(clean, spec)
    model = choose_predictor(champion, rows, spec)
    if isinstance(model, LoggedPredictions):
        rows = model.select_rows(rows).reset_index(drop=True)
    older = _read_earlier_rows(history, spec, window)
    choices = list(_list_training_choices(older, spec, window))
    outputs = _predict_newest(rows, choices, spec)
    if outputs is None:
        return None
    tested = rows.loc[outputs.index]
    return _pair_outputs(tested, spec, predict_outputs(model, tested, spec), outputs)


def _order_rows(clean: pd.DataFrame, spec: ModelSpec) -> pd.DataFrame:
    """Return a sample in the order of time, or in any order if the rows are dated too coarsely."""
    rows = sample_frame(clean.sort_values(spec.timestamp, kind="stable"), MAX_COMPARED_ROWS)
    if has_coarse_times(rows, spec):
        rows = rows.iloc[np.random.default_rng(0).permutation(len(rows))]
    return rows.reset_index(drop=True)


def _read_earlier_rows(
    history: HistoryTable, spec: ModelSpec, window: LabelledWindow
) -> pd.DataFrame:
    """Return as many clean rows before the window as are learnt from, the newest of them."""
    start, end = window.time_range
    length = end - start
    count = min(spec.reference_windows, MAX_LEARNED_ROWS // max(len(window.rows), 1) + 1)
    earlier = read_rows(history, spec, TimeRange(start - count * length, start))
    return keep_valid_targets(earlier, spec).sort_values(spec.timestamp).tail(MAX_LEARNED_ROWS)


def _list_training_choices(
    older: pd.DataFrame, spec: ModelSpec, window: LabelledWindow
) -> Iterator[pd.DataFrame]:
    """Yield the older rows to learn from: all, and after a loss those since it began."""
    yield older
    if window.lossy:
        start, end = window.time_range
        since: timedelta = (window.lossy - 1) * (end - start)
        yield older[older[spec.timestamp] >= start - since]


def _predict_newest(
    rows: pd.DataFrame, choices: list[pd.DataFrame], spec: ModelSpec
) -> "pd.Series[Any] | None":
    """Predict the end of the window in two steps, each by a model of rows before it.

    Of several choices of older rows, the better one in the first step makes the second.
    """
    cuts = [int(share * len(rows)) for share in (TRAINED_SHARE, SECOND_STEP, 1.0)]
    first, second = (slice(*cut) for cut in pairwise(cuts))
    tried = [_predict_step(rows, older, first, spec) for older in choices]
    truth = cast_targets(rows[first], spec)
    rated = [
        (-math.inf if (value := compute_metric(truth, each, spec)) is None else value, each, older)
        for each, older in zip(tried, choices, strict=True)
        if each is not None
    ]
    if not rated:
        return None
    _, early, older = max(rated, key=itemgetter(0))
    late = _predict_step(rows, older, second, spec)
    return None if late is None or late.name != early.name else pd.concat([early, late])


def _predict_step(
    rows: pd.DataFrame, older: pd.DataFrame, step: slice, spec: ModelSpec
) -> "pd.Series[Any] | None":
    """Return the outputs of a model of what precedes the step; None if that cannot be learnt."""
    learned = pd.concat([older, rows[: step.start]]).tail(MAX_LEARNED_ROWS)
    if len(learned) < MIN_LEARNED_ROWS:
        return None
    try:
        return predict_outputs(fit_estimator(learned, spec, seed=0), rows[step], spec)
    except (Refused, ValueError):
        return None  # one class only


def _pair_outputs(
    tested: pd.DataFrame,
    spec: ModelSpec,
    champion: "pd.Series[Any]",
    challenger: "pd.Series[Any]",
) -> ShadowChallenger | None:
    truth = cast_targets(tested, spec)

    def compute_gain(kept: BoolArray) -> float | None:
        pair = [compute_metric(truth[kept], each[kept], spec) for each in (champion, challenger)]
        return None if pair[0] is None or pair[1] is None else pair[1] - pair[0]

    before, after = (compute_metric(truth, each, spec) for each in (champion, challenger))
    positives = count_rarest_class(truth) if spec.task is Task.CLASSIFICATION else None
    comparable = champion.name == challenger.name
    if before is None or after is None or not comparable or not has_enough_classes(tested, spec):
        return None
    return ShadowChallenger(
        champion=before,
        challenger=after,
        gain=after - before,
        error=compute_jackknife_error(compute_gain, len(tested)),
        rows=len(tested),
        positives=positives,
    )
