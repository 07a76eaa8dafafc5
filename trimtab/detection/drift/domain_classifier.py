"""Tells whether rows as a whole moved: a classifier that learns to tell window from reference.

Where it can, in rows that it has not learnt from, the two differ, if only in how their columns go
together (classifier two-sample test: Friedman, 2003; Lopez-Paz and Oquab, 2017). Its cost is
bounded by the rows it is shown, not by the rows there are.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from trimtab.contracts.drift import MultivariateDrift
from trimtab.contracts.model import Sensitivity
from trimtab.detection.drift.standard_errors import Groupings, area_error, groupings

FOLDS: Final = 3
"""Each row is scored by a classifier that learnt from the other folds."""
CHANCE: Final = 0.5
"""The area where nothing can be told apart. One below it tells no more: what was learnt of two
stretches is the opposite of the third where few of them make up all there is (below-chance
classification: Jamalabadi et al., 2016)."""
FEWEST_ROWS: Final = 100
"""Rows of each side without which nothing is learnt."""
MOST_CATEGORIES: Final = 250
"""Most frequent categories that are told apart; the trees take at most 255."""
WEIGHED_ROWS: Final = 2000
"""Rows of each side on which importances are measured."""
WEIGHED_FEATURES: Final = 40
"""Features whose importance is measured: those that differ most by themselves."""
NAMED_FEATURES: Final = 20
"""Features whose importance is told."""
_TAIL: Final = 0.025
_Z: Final = float(stats.norm.isf(_TAIL))
_OTHER: Final = MOST_CATEGORIES

Numbers = npt.NDArray[np.float64]


def sample(frame: pd.DataFrame, rows: int, *, seed: int = 0) -> pd.DataFrame:
    """At most that many rows, drawn evenly, in their order."""
    if len(frame) <= rows:
        return frame
    chosen = np.random.default_rng(seed).choice(len(frame), rows, replace=False)
    return frame.iloc[np.sort(chosen)]


def tell_apart(
    reference: pd.DataFrame,
    current: pd.DataFrame,
    *,
    sensitivity: Sensitivity,
    dependence: timedelta | None = None,
    chance: float | None = None,
    seed: int = 0,
) -> MultivariateDrift | None:
    """How well rows of the window can be told from rows of the reference.

    Both frames hold rows in the order of time, numbers as floats and categories as text; columns
    that only one of them has are left out. None where either holds fewer than 100 rows, or they
    share no column. Folds are stretches of time, so that rows of one moment, which resemble each
    other for that reason alone, are not learnt from and scored. Where rows are indexed by their
    time, the interval counts stretches of them as `detection.sampling.groupings` does, by
    `dependence`. `chance` is how often what is no drift may pass for it, if less than usual.
    """
    names = [name for name in reference.columns if name in current.columns]
    if min(len(reference), len(current)) < FEWEST_ROWS or not names:
        return None
    sides = [sample(side[names], sensitivity.rows_compared, seed=seed)
             for side in (reference, current)]  # fmt: skip
    alike = [_groupings(side, dependence) for side in sides]
    told = _Told(sides, names, seed=seed)
    auc, error = told.auc(alike)
    low, high = max(auc - _Z * error, 0.0), min(max(auc + _Z * error, CHANCE), 1.0)
    surely = auc - float(stats.norm.isf(min(chance or _TAIL, _TAIL))) * error
    return MultivariateDrift(
        auc=max(auc, CHANCE),
        low=low,
        high=high,
        rows=max(len(side) for side in sides),
        importance=told.importance() if low > CHANCE else {},
        drifted=surely > sensitivity.auc,
    )


class _Told:
    """Classifiers, one a fold, with the rows that each has not learnt from."""

    def __init__(self, sides: list[pd.DataFrame], names: list[str], *, seed: int) -> None:
        self._names, self._seed = names, seed
        both = pd.concat(sides, ignore_index=True)
        self._rows, categorical = _encoded(both)
        self._current = np.repeat([False, True], [len(side) for side in sides])
        self._fold = np.concatenate([_folds(len(side)) for side in sides])
        self._models = [self._fit(fold, categorical) for fold in range(FOLDS)]

    def auc(self, alike: Sequence[Groupings]) -> tuple[float, float]:
        """The area over all rows, and its standard error; `alike` of each side's rows."""
        scores = self._scores(self._rows, self._fold)
        area = float(roc_auc_score(self._current, scores))
        before, now = alike
        return area, area_error(self._current, scores, alike=(before, now))

    def importance(self) -> dict[str, float]:
        """What the area loses when a feature is dealt out anew; the greatest first."""
        chosen = self._weighed()
        rows, fold, current = self._rows[chosen], self._fold[chosen], self._current[chosen]
        whole = float(roc_auc_score(current, self._scores(rows, fold)))
        random = np.random.default_rng(self._seed)
        lost = {}
        for place in self._telling(rows, current):
            dealt = rows.copy()
            dealt[:, place] = random.permutation(dealt[:, place])
            area = float(roc_auc_score(current, self._scores(dealt, fold)))
            lost[self._names[place]] = whole - area
        ranked = sorted(lost, key=lambda name: -lost[name])[:NAMED_FEATURES]
        return {name: lost[name] for name in ranked}

    def _fit(self, fold: int, categorical: list[bool]) -> HistGradientBoostingClassifier:
        learnt = self._fold != fold
        model = HistGradientBoostingClassifier(
            max_iter=50,
            max_leaf_nodes=15,
            early_stopping=False,
            categorical_features=categorical,
            random_state=self._seed,
        )
        return model.fit(self._rows[learnt], self._current[learnt])

    def _scores(self, rows: Numbers, fold: npt.NDArray[np.int64]) -> Numbers:
        scores = np.empty(len(rows))
        for place, model in enumerate(self._models):
            held = fold == place
            scores[held] = model.predict_proba(rows[held])[:, 1]
        return scores

    def _weighed(self) -> npt.NDArray[np.int64]:
        """Some rows of each side, spread evenly."""
        places = [np.flatnonzero(self._current == side) for side in (False, True)]
        return np.concatenate(
            [place[:: max(1, len(place) // WEIGHED_ROWS)][:WEIGHED_ROWS] for place in places]
        )

    def _telling(self, rows: Numbers, current: npt.NDArray[np.bool_]) -> list[int]:
        """The features whose values differ most by themselves."""
        gaps = [_gap(column[~current], column[current]) for column in rows.T]
        return sorted(range(len(gaps)), key=lambda place: -gaps[place])[:WEIGHED_FEATURES]


def _groupings(side: pd.DataFrame, dependence: timedelta | None) -> Groupings:
    """None where nobody told the rows' times."""
    if not isinstance(side.index, pd.DatetimeIndex):
        return ()
    return groupings(side.index.to_series(), dependence)


def _gap(before: Numbers, now: Numbers) -> float:
    """The largest difference of the two distribution functions; missing values come last."""
    both = np.sort(np.concatenate([before, now]))
    shares = [np.searchsorted(np.sort(side), both, side="right") / len(side)
              for side in (before, now)]  # fmt: skip
    return float(np.abs(shares[0] - shares[1]).max())


def _folds(rows: int) -> npt.NDArray[np.int64]:
    """Stretches of equal length, in the rows' order."""
    return np.arange(rows) * FOLDS // rows


def _encoded(frame: pd.DataFrame) -> tuple[Numbers, list[bool]]:
    """One array of numbers: categories by their rank, the rarest as one; which are categories."""
    categorical = [not pd.api.types.is_numeric_dtype(frame[name]) for name in frame.columns]
    columns = list(_columns(frame, categorical))
    return np.column_stack(columns), categorical


def _columns(frame: pd.DataFrame, categorical: list[bool]) -> Iterator[Numbers]:
    for name, codes in zip(frame.columns, categorical, strict=True):
        column: Numbers = _ranks(frame[name]) if codes else np.asarray(frame[name], dtype="float64")
        # the trees cannot bin a column of nothing
        yield np.zeros(len(column)) if np.isnan(column).all() else column


def _ranks(values: "pd.Series[Any]") -> Numbers:
    """0 for the most frequent category; NaN where there is none."""
    ranks = {
        name: float(min(rank, _OTHER)) for rank, name in enumerate(values.value_counts().index)
    }
    return np.asarray(values.map(ranks), dtype="float64")
