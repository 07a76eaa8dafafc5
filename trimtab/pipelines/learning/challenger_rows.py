"""Selects the rows that a challenger learns from; retraining and its preview select the same."""

from datetime import datetime
from typing import NamedTuple

import pandas as pd

from trimtab.contracts.fitted import ServedModel, expected_metric_name
from trimtab.contracts.model import ModelSpec
from trimtab.pipelines.history.profiling import load_reference_profile
from trimtab.pipelines.history.remote import HistoryTable
from trimtab.pipelines.history.slices import load_training_history, select_training_history
from trimtab.pipelines.history.time_ranges import TimeRange
from trimtab.pipelines.learning.training_data import (
    choose_training_range,
    exclude_ranges,
    find_corrupt_windows,
    refuse_corrupt_window,
)
from trimtab.pipelines.scoring.performance_impact import load_importance


class ChallengerRows(NamedTuple):
    """What a challenger learns from."""

    history: pd.DataFrame
    """Without corrupt windows, and without the rows that gate and verification judge by."""
    time_range: TimeRange
    """The range of the history that is learnt from."""
    newest: TimeRange
    """The newest labelled window's part of it."""
    corrupt: list[TimeRange]
    """The windows that were excluded."""


def select_challenger_rows(
    history: HistoryTable,
    spec: ModelSpec,
    champion: ServedModel,
    *,
    as_of: datetime,
    corrupt_too: bool,
    seed: int,
) -> ChallengerRows:
    """Return the rows for a challenger of the champion.

    Raises `Refused` if the newest window is corrupt, unless it is to be learnt from all the same
    (`corrupt_too`), which only a person decides.
    """
    reference = load_reference_profile(champion)
    table = load_training_history(history, spec, as_of)
    importance = load_importance(champion)
    if not corrupt_too:
        refuse_corrupt_window(table, spec, as_of, reference=reference, importance=importance)
    corrupt = find_corrupt_windows(table, spec, as_of, reference=reference, importance=importance)
    training = select_training_history(exclude_ranges(table, spec, corrupt), spec, as_of)
    standard = get_training_metric(champion, spec.metric)
    chosen = choose_training_range(training, spec, standard=standard, seed=seed)
    return ChallengerRows(training.history, chosen, training.newest, corrupt)


def get_training_metric(champion: ServedModel, metric: str) -> float | None:
    """Return the metric that a champion must keep: the first champion's, else its own, or None."""
    own = champion.metrics.get(metric)
    return champion.metrics.get(expected_metric_name(metric), own)
