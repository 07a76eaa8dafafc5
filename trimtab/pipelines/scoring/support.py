"""Splits the labelled rows of a window by support: rows like those trained on, and others.

A loss on rows that the champion had no occasion to learn is the effect of covariate shift or of a
new segment, even if the estimate without labels expects none: that knows as little of such rows.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier

from trimtab.contracts.drift import FeatureKind, PerformanceChange
from trimtab.contracts.fitted import REFERENCE_ROWS_FILE, ServedModel
from trimtab.contracts.model import Feature, ModelSpec
from trimtab.contracts.ports import Refused
from trimtab.contracts.window_signals import SupportSplit
from trimtab.detection.drift.domain_classifier import sample_frame
from trimtab.detection.profiles.arrays import BoolArray, IntArray
from trimtab.pipelines.history.rows import keep_valid_targets
from trimtab.pipelines.scoring.estimator import build_pipeline, fill_empty
from trimtab.pipelines.scoring.metrics import MetricScore, score_labelled_rows
from trimtab.pipelines.scoring.performance_estimation import build_classifier_inputs
from trimtab.pipelines.scoring.predictions import choose_predictor
from trimtab.pipelines.scoring.realised_performance import MIN_LABELLED_ROWS
from trimtab.pipelines.scoring.thread_limits import limit_threads

MAX_SUPPORT_ROWS: Final = 3_000
"""Rows of the window, and of the reference, that are compared at most."""
MIN_SUPPORT_ROWS: Final = 100
"""Rows that each side needs."""
MIN_DENSITY_RATIO: Final = 10.0
"""How many times as dense rows of the window must be as the reference's for no support."""
RANGE_MARGIN: Final = 0.02
"""Share of the reference's range by which a number must lie beyond it."""
MAX_NEW_SHARE: Final = 0.8
"""Share of rows up to which new categories are a segment, and not other names of all of them."""
MIN_RELEVANT_IMPORTANCE: Final = 0.05
"""Share of the largest importance from which a feature counts; others cannot cause a loss."""
_FOLDS: Final = 2


def split_support(
    labelled: pd.DataFrame,
    spec: ModelSpec,
    champion: ServedModel,
    *,
    importance: dict[str, float],
    separable: bool = True,
) -> tuple[pd.DataFrame, BoolArray] | None:
    """Return a sample of the labelled rows, and which of them are unlike the training rows.

    Rows that cannot be told from the reference's (not `separable`) are unlike them only by values
    that it has not. None if the training rows are not stored, or either side has too few rows.
    """
    try:
        reference = champion.frame(REFERENCE_ROWS_FILE)
    except Refused:
        return None
    rows = sample_frame(keep_valid_targets(labelled, spec), MAX_SUPPORT_ROWS)
    relevant = list_relevant_features(spec, importance)
    narrow = spec.model_copy(update={"features": relevant})
    names = [feature.name for feature in relevant]
    if min(len(rows), len(reference)) < MIN_SUPPORT_ROWS or not set(names) <= set(reference):
        return None
    current = build_classifier_inputs(rows, spec).reset_index(drop=True)
    known = [each for each in _list_comparable(spec, relevant) if each.name in reference]
    outside = _find_unknown_values(reference, current, tuple(known))
    current = current[names]
    if not separable:
        return rows, outside
    sample = sample_frame(reference[names], MAX_SUPPORT_ROWS).reset_index(drop=True)
    return rows, outside | _find_dense_regions(sample, current, narrow)


def measure_support(
    labelled: pd.DataFrame,
    spec: ModelSpec,
    champion: ServedModel,
    *,
    importance: dict[str, float],
    performance: PerformanceChange,
    separable: bool = True,
) -> tuple[SupportSplit, pd.DataFrame] | None:
    """Return the metric by support, and the rows that have it; None if that cannot be told.

    `inside_reference` is the metric at training time; the caller may know a closer expectation.
    `separable` as for `split_support`.
    """
    found = split_support(labelled, spec, champion, importance=importance, separable=separable)
    if found is None:
        return None
    rows, outside = found
    inside, beyond = (_score_part(rows[part], spec, champion) for part in (~outside, outside))
    split = SupportSplit(
        share_outside=float(outside.mean()),
        inside=inside.value,
        outside=beyond.value,
        inside_error=inside.error,
        inside_reference=performance.reference,
    )
    return split, rows[~outside]


def list_relevant_features(spec: ModelSpec, importance: dict[str, float]) -> tuple[Feature, ...]:
    """Return the features that the champion uses; all of them if their importance is unknown."""
    known = {each.name: importance.get(each.name, 0.0) for each in spec.features}
    limit = MIN_RELEVANT_IMPORTANCE * max(known.values())
    if limit <= 0.0:
        return spec.features
    return tuple(feature for feature in spec.features if known[feature.name] >= limit)


def _list_comparable(spec: ModelSpec, relevant: tuple[Feature, ...]) -> Iterator[Feature]:
    """Yield the features whose new values no training row had: relevant ones, and all categories.

    Categories that made no difference among the known ones may still hide a new segment.
    """
    for feature in spec.features:
        if feature in relevant or feature.kind is FeatureKind.CATEGORICAL:
            yield feature


def _score_part(rows: pd.DataFrame, spec: ModelSpec, champion: ServedModel) -> MetricScore:
    if len(rows) < MIN_LABELLED_ROWS:
        return MetricScore(None, len(rows), None)
    return score_labelled_rows(choose_predictor(champion, rows, spec), rows, spec)


def _find_unknown_values(
    reference: pd.DataFrame, current: pd.DataFrame, features: tuple[Feature, ...]
) -> BoolArray:
    """Return which rows have a category that the reference has not, or a number far beyond it."""
    unknown = np.zeros(len(current), dtype=bool)
    for feature in features:
        before, now = reference[feature.name], current[feature.name]
        if feature.kind is FeatureKind.CATEGORICAL:
            new = (now.notna() & ~now.isin(before.dropna().unique())).to_numpy()
            # All rows new is another name, and not a segment beside those that are known.
            unknown |= new & (new.mean() <= MAX_NEW_SHARE)
            continue
        low, high = before.min(), before.max()
        margin = RANGE_MARGIN * (high - low)
        unknown |= ((now < low - margin) | (now > high + margin)).to_numpy(dtype=bool)
    return unknown


def _find_dense_regions(
    reference: pd.DataFrame, current: pd.DataFrame, spec: ModelSpec
) -> BoolArray:
    """Return which rows lie where the window is much denser than the reference.

    The ratio of densities is that of a classifier's odds, of models that did not learn the row
    (Sugiyama, Suzuki and Kanamori, 2012).
    """
    both = pd.concat([reference, current], ignore_index=True)
    is_current = np.repeat([0, 1], [len(reference), len(current)])
    fold: IntArray = np.random.default_rng(0).permutation(len(both)) % _FOLDS
    ratio = np.zeros(len(both))
    for index in range(_FOLDS):
        booster = HistGradientBoostingClassifier(
            max_iter=30,
            max_leaf_nodes=8,
            min_samples_leaf=30,
            early_stopping=False,
            class_weight="balanced",
            random_state=0,
        )
        with limit_threads(len(both)):
            model = build_pipeline(spec, booster).fit(
                fill_empty(both[fold != index]), is_current[fold != index]
            )
            odds = model.predict_proba(both[fold == index])
        ratio[fold == index] = odds[:, 1] / np.maximum(odds[:, 0], np.finfo("float64").tiny)
    dense: BoolArray = ratio[len(reference) :] >= MIN_DENSITY_RATIO
    return dense
