"""Finds and reads the column of a table with the predictions that the model made at the time."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from trimtab.contracts.model import Task
from trimtab.detection.onboarding.candidates import MIN_FITTING_SHARE
from trimtab.detection.onboarding.feature_proposal import ColumnProposal, format_range
from trimtab.detection.profiles.casting import cast_to_categories, cast_to_numbers

PREDICTION_REASON: Final = "it holds what the model predicted at the time, so it is no feature"
_NAME_PATTERN: Final = re.compile(
    r"(?i)^y[_ ]?(hat|pred(icted|iction)?)$|^(pred|preds|predictions?|predicted|forecast)$"
    r"|^(pred|prediction|predicted)[_ ]|[_ ](pred|prediction|predicted|hat)$"
)
_BINARY_CLASSES: Final = 2
_EVEN_PROBABILITY: Final = 0.5
_MAX_SHOWN_CLASSES: Final = 3


@dataclass(frozen=True)
class LoggedPredictions:
    """Replaces a model that is not called again: reads the predictions that were logged."""

    column: str
    task: Task
    classes: tuple[str, ...] = ()
    """The two classes in order if probabilities of the second one were logged; else empty."""

    def select_rows(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return the rows that have a prediction."""
        if self.column not in rows:
            return rows.iloc[:0]
        is_logged = rows[self.column].notna()
        if self.task is Task.REGRESSION:
            is_logged &= cast_to_numbers(rows[self.column]).notna()
        return rows[is_logged]

    def read_predictions(self, rows: pd.DataFrame) -> "pd.Series[Any]":
        """Return numbers, or classes as text; missing where no prediction was logged."""
        if self.column not in rows:
            return pd.Series(float("nan"), index=rows.index, dtype="object")
        values = rows[self.column]
        if self.task is Task.REGRESSION:
            return cast_to_numbers(values)
        if len(self.classes) != _BINARY_CLASSES:
            return cast_to_categories(values)

        def choose_class(probability: float) -> str:
            return self.classes[int(probability >= _EVEN_PROBABILITY)]

        likely = cast_to_numbers(values).map(choose_class, na_action="ignore")
        return likely.astype("object")

    def read_probabilities(self, rows: pd.DataFrame) -> "pd.Series[Any]":
        """Return logged probabilities of the second class, which names the series."""
        name = self.classes[1] if len(self.classes) == _BINARY_CLASSES else None
        if self.column not in rows:
            return pd.Series(float("nan"), index=rows.index, name=name)
        return cast_to_numbers(rows[self.column]).rename(name)


def find_prediction_column(rows: pd.DataFrame, target: str, task: Task) -> ColumnProposal | None:
    """Return the column that holds predictions of the target by its name and values, or None.

    Of several, one with the target's name in its own is chosen first, then the first in the table.
    """
    fitting = list(_list_prediction_columns(rows, target, task))
    fitting.sort(key=lambda column: target.lower() not in column.name.lower())
    return fitting[0] if fitting else None


def is_prediction_name(name: str) -> bool:
    """Return whether a column with this name seems to hold predictions."""
    return bool(_NAME_PATTERN.search(name))


def explain_no_prediction(values: pd.Series, truth: pd.Series, task: Task) -> str:
    """Return why the values cannot be predictions of the truth, or "" if they can.

    For two classes, predictions may also be probabilities of the second one, from 0 to 1.
    """
    known = values.dropna()
    if known.empty:
        return "it is empty"
    numbers = cast_to_numbers(known)
    if task is Task.REGRESSION:
        texts = known[numbers.isna()]
        is_numeric = numbers.notna().mean() >= MIN_FITTING_SHARE
        return "" if is_numeric else f"it holds {str(texts.iloc[0])!r}, which is no number"
    classes = set(cast_to_categories(truth.dropna()))
    if are_probabilities(known) and len(classes) == _BINARY_CLASSES:
        return ""
    predicted = cast_to_categories(known)
    unknown = predicted[~predicted.isin(classes)]
    if len(unknown) > (1 - MIN_FITTING_SHARE) * len(known):
        return f"it holds {str(unknown.iloc[0])!r}, which the target does not"
    return ""


def are_probabilities(known: pd.Series) -> bool:
    """Return whether the values are probabilities: from 0 to 1, and some in between."""
    numbers = cast_to_numbers(known).dropna()
    inside = len(numbers) == len(known) > 0 and bool(numbers.between(0, 1).all())
    return inside and not bool(numbers.isin([0, 1]).all())


def _list_prediction_columns(
    rows: pd.DataFrame, target: str, task: Task
) -> Iterator[ColumnProposal]:
    for name in rows.columns:
        is_named = isinstance(name, str) and name != target and is_prediction_name(name)
        if is_named and not explain_no_prediction(rows[name], rows[target], task):
            summary = _summarise_predictions(rows[name])
            yield ColumnProposal(name=name, kind=None, reason=PREDICTION_REASON, summary=summary)


def _summarise_predictions(values: pd.Series) -> str:
    numbers = cast_to_numbers(values)
    if numbers.notna().sum() == values.notna().sum():
        return format_range(numbers)
    shown = cast_to_categories(values).value_counts().index[:_MAX_SHOWN_CLASSES]
    return "such as " + ", ".join(str(each) for each in shown)
