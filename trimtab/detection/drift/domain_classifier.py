"""Detects drift of rows as a whole with a domain classifier, which separates window and reference.

If it can separate them in rows that it has not learned from, the two differ, if only in how their
columns are correlated (classifier two-sample test: Friedman, 2003; Lopez-Paz and Oquab, 2017).
Its cost is bounded by the rows that it is given, not by the rows that exist.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, Final

import numpy as np
import pandas as pd
from scipy import stats
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from trimtab.contracts.drift import MultivariateDrift
from trimtab.contracts.model import Sensitivity
from trimtab.detection.drift.standard_errors import (
    ClusterLabels,
    compute_auc_error,
    label_time_clusters,
)
from trimtab.detection.profiles.arrays import BoolArray, FloatArray, IntArray

CLASSIFIER_FOLDS: Final = 3
"""Folds of the cross-fit: each row is scored by a classifier that learned from the other folds."""
UNINFORMATIVE_AUC: Final = 0.5
"""Area under the curve if the rows cannot be separated. A smaller one means the same: if the rows
are few long stretches, what was learned of two is the opposite of the third (below-chance
classification: Jamalabadi et al., 2016)."""
MIN_ROWS_FOR_CLASSIFIER: Final = 100
"""Rows that either side needs."""
MAX_CLASSIFIER_CATEGORIES: Final = 250
"""Most frequent categories that are kept apart; the trees take at most 255."""
MAX_IMPORTANCE_ROWS: Final = 2000
"""Rows of each side on which importances are measured at most."""
MAX_IMPORTANCE_FEATURES: Final = 40
"""Features whose importance is measured at most: those that differ most on their own."""
MAX_REPORTED_FEATURES: Final = 20
"""Features whose importance is reported at most."""
_TAIL: Final = 0.025
_Z: Final = float(stats.norm.isf(_TAIL))


def sample_frame(frame: pd.DataFrame, rows: int, *, seed: int = 0) -> pd.DataFrame:
    """Return at most `rows` rows of the frame, drawn at random without replacement, in order."""
    if len(frame) <= rows:
        return frame
    chosen = np.random.default_rng(seed).choice(len(frame), rows, replace=False)
    return frame.iloc[np.sort(chosen)]


def detect_multivariate_drift(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    *,
    sensitivity: Sensitivity,
    dependence: timedelta | None = None,
    alpha: float | None = None,
    seed: int = 0,
) -> MultivariateDrift | None:
    """Measure how well rows of the window can be separated from rows of the reference.

    Both frames hold rows in the order of time, numbers as floats and categories as text. Columns
    that only one of them has are left out. Returns None if either holds fewer than 100 rows or
    they share no column.

    Folds are stretches of time, so that rows of one moment, which resemble each other for that
    reason alone, are never in both training and test rows. If rows are indexed by their time, the
    interval allows for clusters of time, as `label_time_clusters` makes them with `dependence`.
    `alpha` is the accepted false-positive rate; it counts if it is below the usual 2.5 %.
    """
    names = [name for name in reference.columns if name in current.columns]
    if min(len(reference), len(current)) < MIN_ROWS_FOR_CLASSIFIER or not names:
        return None
    sides = [
        sample_frame(side[names], sensitivity.rows_compared, seed=seed)
        for side in (reference, current)
    ]
    clusters = [_label_clusters(side, dependence) for side in sides]
    classifiers = _CrossFit(sides, names, seed=seed)
    auc, error = classifiers.measure_auc(clusters)
    low = max(auc - _Z * error, 0.0)
    high = min(max(auc + _Z * error, UNINFORMATIVE_AUC), 1.0)
    lower_bound = auc - float(stats.norm.isf(min(alpha or _TAIL, _TAIL))) * error
    return MultivariateDrift(
        auc=max(auc, UNINFORMATIVE_AUC),
        low=low,
        high=high,
        rows=max(len(side) for side in sides),
        importance=classifiers.measure_importance() if low > UNINFORMATIVE_AUC else {},
        drifted=lower_bound > sensitivity.auc,
    )


class _CrossFit:
    """One classifier a fold, and the rows that each has not learned from."""

    def __init__(self, sides: list[pd.DataFrame], names: list[str], *, seed: int) -> None:
        self._names, self._seed = names, seed
        both = pd.concat(sides, ignore_index=True)
        self._rows, categorical = _encode_rows(both)
        self._current = np.repeat([False, True], [len(side) for side in sides])
        self._fold = np.concatenate([_assign_folds(len(side)) for side in sides])
        self._models = [self._fit(fold, categorical) for fold in range(CLASSIFIER_FOLDS)]

    def measure_auc(self, clusters: Sequence[ClusterLabels]) -> tuple[float, float]:
        """Return the area over all rows and its standard error; `clusters` are of each side."""
        scores = self._score(self._rows, self._fold)
        area = float(roc_auc_score(self._current, scores))
        before, now = clusters
        return area, compute_auc_error(self._current, scores, clusters=(before, now))

    def measure_importance(self) -> dict[str, float]:
        """Return the area that is lost when a feature is permuted, the largest loss first."""
        chosen = self._choose_rows()
        rows, fold, current = self._rows[chosen], self._fold[chosen], self._current[chosen]
        whole = float(roc_auc_score(current, self._score(rows, fold)))
        random = np.random.default_rng(self._seed)
        losses = {}
        for index in self._choose_features(rows, current):
            permuted = rows.copy()
            permuted[:, index] = random.permutation(permuted[:, index])
            area = float(roc_auc_score(current, self._score(permuted, fold)))
            losses[self._names[index]] = whole - area
        ranked = sorted(losses, key=lambda name: -losses[name])[:MAX_REPORTED_FEATURES]
        return {name: losses[name] for name in ranked}

    def _fit(self, fold: int, categorical: list[bool]) -> HistGradientBoostingClassifier:
        learned = self._fold != fold
        model = HistGradientBoostingClassifier(
            max_iter=50,
            max_leaf_nodes=15,
            early_stopping=False,
            categorical_features=categorical,
            random_state=self._seed,
        )
        return model.fit(self._rows[learned], self._current[learned])

    def _score(self, rows: FloatArray, fold: IntArray) -> FloatArray:
        scores = np.empty(len(rows))
        for index, model in enumerate(self._models):
            held_out = fold == index
            scores[held_out] = model.predict_proba(rows[held_out])[:, 1]
        return scores

    def _choose_rows(self) -> IntArray:
        """Return the positions of some rows of each side, evenly spread."""
        sides = [np.flatnonzero(self._current == side) for side in (False, True)]
        chosen = [
            side[np.arange(kept) * len(side) // kept]
            for side in sides
            for kept in [min(len(side), MAX_IMPORTANCE_ROWS)]
        ]
        return np.concatenate(chosen)

    def _choose_features(self, rows: FloatArray, current: BoolArray) -> list[int]:
        """Return the positions of the features whose values differ most on their own."""
        gaps = [_compute_ks_distance(column[~current], column[current]) for column in rows.T]
        ranked = sorted(range(len(gaps)), key=lambda index: -gaps[index])
        return ranked[:MAX_IMPORTANCE_FEATURES]


def _label_clusters(side: pd.DataFrame, dependence: timedelta | None) -> ClusterLabels:
    """Return the clusters of time; none if the rows are not indexed by their time."""
    if not isinstance(side.index, pd.DatetimeIndex):
        return ()
    return label_time_clusters(side.index.to_series(), dependence)


def _compute_ks_distance(before: FloatArray, now: FloatArray) -> float:
    """Return the largest gap of the two distribution functions; missing values come last."""
    both = np.sort(np.concatenate([before, now]))
    shares = [
        np.searchsorted(np.sort(side), both, side="right") / len(side) for side in (before, now)
    ]
    return float(np.abs(shares[0] - shares[1]).max())


def _assign_folds(rows: int) -> IntArray:
    """Return the fold of each row: stretches of equal length, in the rows' order."""
    return np.arange(rows) * CLASSIFIER_FOLDS // rows


def _encode_rows(frame: pd.DataFrame) -> tuple[FloatArray, list[bool]]:
    """Return the rows as numbers, and which columns are categories.

    A category becomes its rank by frequency; the rarest share one rank.
    """
    categorical = [not pd.api.types.is_numeric_dtype(frame[name]) for name in frame.columns]
    columns = list(_encode_columns(frame, categorical))
    return np.column_stack(columns), categorical


def _encode_columns(frame: pd.DataFrame, categorical: list[bool]) -> Iterator[FloatArray]:
    for name, is_category in zip(frame.columns, categorical, strict=True):
        values = frame[name]
        column: FloatArray = (
            _rank_categories(values) if is_category else np.asarray(values, dtype="float64")
        )
        # The trees cannot bin a column without values.
        yield np.zeros(len(column)) if np.isnan(column).all() else column


def _rank_categories(values: "pd.Series[Any]") -> FloatArray:
    """Return 0 for the most frequent category, and NaN for missing ones."""
    ranks = {
        name: float(min(rank, MAX_CLASSIFIER_CATEGORIES))
        for rank, name in enumerate(values.value_counts().index)
    }
    return np.asarray(values.map(ranks), dtype="float64")
