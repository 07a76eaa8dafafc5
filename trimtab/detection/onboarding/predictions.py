"""The column of a table that holds what the model predicted at the time: found, and read."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd

from trimtab.contracts.model import Task
from trimtab.detection.onboarding.feature_proposal import Judgement, describe_numbers
from trimtab.detection.profiles.casting import cast_to_categories, cast_to_numbers

_NAME: Final = re.compile(
    r"(?i)^y[_ ]?(hat|pred(icted|iction)?)$|^(pred|preds|predictions?|predicted|forecast)$"
    r"|^(pred|prediction|predicted)[_ ]|[_ ](pred|prediction|predicted|hat)$"
)
_NEARLY_ALL: Final = 0.95
_TWO: Final = 2
_EVEN: Final = 0.5
_AMOUNTS: Final = Task.REGRESSION
REASON: Final = "what was predicted at the time, not a feature"


@dataclass(frozen=True)
class Recorded:
    """Stands in for a model that is not asked again: answers from what was recorded."""

    column: str
    task: Task
    classes: tuple[str, ...] = ()
    """Where chances are recorded, the two classes in order: chances are of the second."""

    def answered(self, rows: pd.DataFrame) -> pd.DataFrame:
        """The rows that hold a prediction."""
        if self.column not in rows:
            return rows.iloc[:0]
        known = rows[self.column].notna()
        return rows[
            known & (cast_to_numbers(rows[self.column]).notna() | (self.task is not _AMOUNTS))
        ]

    def predictions(self, rows: pd.DataFrame) -> "pd.Series[Any]":
        """A number, or the class as text; missing where none was recorded."""
        if self.column not in rows:
            return pd.Series(float("nan"), index=rows.index, dtype="object")
        values = rows[self.column]
        if self.task is _AMOUNTS:
            return cast_to_numbers(values)
        if len(self.classes) != _TWO:
            return cast_to_categories(values)
        likely = cast_to_numbers(values).map(lambda chance: self.classes[int(chance >= _EVEN)],
                                        na_action="ignore")  # fmt: skip
        return likely.astype("object")

    def chances(self, rows: pd.DataFrame) -> "pd.Series[Any]":
        """Of the second class, which names the series; missing where none was recorded."""
        name = self.classes[1] if len(self.classes) == _TWO else None
        if self.column not in rows:
            return pd.Series(float("nan"), index=rows.index, name=name)
        return cast_to_numbers(rows[self.column]).rename(name)


def find_prediction(rows: pd.DataFrame, target: str, task: Task) -> Judgement | None:
    """The column that by its name and its values holds predictions of the target, or None.

    Of several, the one that names the target comes first, then the first in the table.
    """
    fitting = list(_fitting(rows, target, task))
    fitting.sort(key=lambda column: target.lower() not in column.name.lower())
    return fitting[0] if fitting else None


def named_like_predictions(name: str) -> bool:
    """Whether a column's name says that it holds predictions."""
    return bool(_NAME.search(name))


def why_no_prediction(values: pd.Series, truth: pd.Series, task: Task) -> str:
    """What keeps the values from being predictions of the truth; "" where nothing does.

    For two classes, predictions may also be chances of the second one, from 0 to 1.
    """
    known = values.dropna()
    if known.empty:
        return "it is empty"
    numbers = cast_to_numbers(known)
    if task is Task.REGRESSION:
        words = known[numbers.isna()]
        return f"it holds {str(words.iloc[0])!r}" if _rare(numbers.notna()) else ""
    classes = set(cast_to_categories(truth.dropna()))
    if are_chances(known) and len(classes) == _TWO:
        return ""
    strange = cast_to_categories(known)
    strange = strange[~strange.isin(classes)]
    if len(strange) > (1 - _NEARLY_ALL) * len(known):
        return f"it holds {str(strange.iloc[0])!r}, which the target does not"
    return ""


def are_chances(known: pd.Series) -> bool:
    """Whether the values are chances rather than classes: numbers from 0 to 1, some between."""
    numbers = cast_to_numbers(known).dropna()
    inside = len(numbers) == len(known) > 0 and bool(numbers.between(0, 1).all())
    return inside and not bool(numbers.isin([0, 1]).all())


def _fitting(rows: pd.DataFrame, target: str, task: Task) -> Iterator[Judgement]:
    for name in rows.columns:
        named = isinstance(name, str) and name != target and named_like_predictions(name)
        if named and not why_no_prediction(rows[name], rows[target], task):
            yield Judgement(name=name, kind=None, reason=REASON, holds=_holds(rows[name]))


def _holds(values: pd.Series) -> str:
    numbers = cast_to_numbers(values)
    if numbers.notna().sum() == values.notna().sum():
        return describe_numbers(numbers)
    shown = cast_to_categories(values).value_counts().index[:3]
    return "such as " + ", ".join(str(each) for each in shown)


def _rare(good: pd.Series) -> bool:
    return bool(good.mean() < _NEARLY_ALL)
