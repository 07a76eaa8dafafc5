"""What a window is compared with: a profile, the thresholds that go with it, and their origin.

The champion's training period is at hand, by hour and weekday where windows need that. The window
before, and the one a season earlier, are profiled from the history when they are asked for: a run
of the monitoring pipeline that was left out, or that counted over other bins, then does no harm.
"""

from typing import NamedTuple

from trimtab.contracts.drift import Window
from trimtab.contracts.fitted import ServedModel, ServedModels
from trimtab.contracts.model import ModelSpec, ReferencePeriod
from trimtab.detection.calibration.seasonality import matched
from trimtab.detection.calibration.thresholds import Calibration, thresholds_for
from trimtab.detection.drift.column_drift import Thresholds
from trimtab.detection.profiles.window_profile import WindowProfile
from trimtab.pipelines.history.profiling import profile_rows, reference_profile, reference_uri
from trimtab.pipelines.history.remote import History
from trimtab.pipelines.history.rows import Table, rows_between
from trimtab.pipelines.history.time_ranges import Span
from trimtab.pipelines.scoring import estimator
from trimtab.pipelines.scoring.calibration import calibration_of, strata_of
from trimtab.pipelines.scoring.predictions import answering


class Reference(NamedTuple):
    """One window's yardstick."""

    champion: ServedModel
    profile: WindowProfile
    """Its bins are those that the window is counted over."""
    calibration: Calibration | None
    """None where nothing was calibrated: the configured floor holds alone."""
    uri: str | None
    """Where the profile is kept; None where it was made for this comparison."""

    def thresholds(self, current: WindowProfile) -> Thresholds:
        """Column to threshold for this window; the configured floor holds where it is more."""
        return {} if self.calibration is None else thresholds_for(self.calibration, current)

    @property
    def chance(self) -> float | None:
        """Of a false alarm that each sense is allowed in a window; None where nobody said."""
        return None if self.calibration is None else self.calibration.chance


def find_reference(
    spec: ModelSpec, models: ServedModels, *, history: History, span: Span
) -> Reference:
    """As `spec.reference` says, for the window of that span.

    What the champion was trained on, where the earlier window holds too few rows.
    """
    champion = models.champion()
    calibration = calibration_of(champion)
    earlier = earlier_span(spec, span)
    if earlier is not None:
        rows = rows_between(history, spec, earlier).reset_index(drop=True)
        if len(rows) >= spec.minimum_rows:
            profile = _profile(rows, spec, champion, earlier)
            return Reference(champion, profile, calibration, uri=None)
    window = Window(start=span.start, end=span.end, rows=0)
    profile = matched(reference_profile(champion), strata_of(champion), window)
    return Reference(champion, profile, calibration, uri=reference_uri(champion))


def earlier_span(spec: ModelSpec, span: Span) -> Span | None:
    """The window before, or the one a season earlier; None where training is the reference."""
    if spec.reference is ReferencePeriod.TRAINING:
        return None
    length = span.end - span.start
    back = length if spec.reference is ReferencePeriod.PREVIOUS else max(spec.season, length)
    return Span(span.start - back, span.end - back)


def _profile(rows: Table, spec: ModelSpec, champion: ServedModel, span: Span) -> WindowProfile:
    """Over bins of its own; labels that have not come by the window's end count as missing."""
    predictions = estimator.outputs(answering(champion, rows, spec), rows, spec)
    return profile_rows(rows, spec, span=span, predictions=predictions)
