"""Counts how many windows in a row the champion's loss has exceeded the tolerance."""

from typing import Final

from trimtab.contracts.drift import PerformanceChange
from trimtab.contracts.fitted import ServedModel
from trimtab.contracts.model import ModelSpec
from trimtab.detection.drift.domain_classifier import sample_frame
from trimtab.detection.drift.standard_errors import is_significant_loss
from trimtab.pipelines.history.profiling import load_reference_profile
from trimtab.pipelines.history.remote import HistoryTable
from trimtab.pipelines.history.rows import read_rows
from trimtab.pipelines.history.time_ranges import TimeRange
from trimtab.pipelines.scoring.metrics import score_labelled_rows
from trimtab.pipelines.scoring.predictions import choose_predictor
from trimtab.pipelines.scoring.realised_performance import MIN_LABELLED_ROWS

MAX_EARLIER_WINDOWS: Final = 3
"""Windows before the current one that are scored at most."""
LOSS_ALPHA: Final = 0.05
"""False-positive rate of the loss of an earlier window: beyond chance, but not twice so."""
MAX_ROWS_PER_WINDOW: Final = 5_000
"""Rows of each that are scored at most, a random sample of more."""


def count_lossy_windows(
    change: PerformanceChange | None,
    history: HistoryTable,
    spec: ModelSpec,
    champion: ServedModel,
    time_range: TimeRange,
) -> PerformanceChange | None:
    """Return the change with its number of windows; only a window with a loss looks back.

    Earlier losses count if chance does not explain them. Windows that the champion was trained on
    are not counted, and end the row.
    """
    if change is None or change.reference - change.current <= spec.tolerance:
        return change
    length, windows = time_range.end - time_range.start, 1
    trained_until = load_reference_profile(champion).window.end
    for index in range(1, MAX_EARLIER_WINDOWS + 1):
        earlier = TimeRange(time_range.start - index * length, time_range.end - index * length)
        if earlier.start < trained_until:
            break
        rows = sample_frame(read_rows(history, spec, earlier), MAX_ROWS_PER_WINDOW)
        score = score_labelled_rows(choose_predictor(champion, rows, spec), rows, spec)
        if score.value is None or score.rows < MIN_LABELLED_ROWS:
            break
        loss = change.reference - score.value
        if loss <= spec.tolerance or not is_significant_loss(loss, score.error, alpha=LOSS_ALPHA):
            break
        windows += 1
    return change.model_copy(update={"windows": windows})
