"""Finds the columns that cannot or must not be features, each with the reason.

Each rule is a function from a candidate to the reason, or "".
"""

import re
from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd

from trimtab.contracts.base import NAME_PATTERN
from trimtab.contracts.drift import FeatureKind
from trimtab.detection.onboarding.candidates import (
    IDENTIFIER_NAME_PATTERN,
    MIN_FITTING_SHARE,
    Candidate,
)
from trimtab.detection.onboarding.leakage import find_leakage
from trimtab.detection.profiles.arrays import FloatArray
from trimtab.detection.profiles.row_numbers import PANDAS_INDEX_REASON, is_pandas_index_name
from trimtab.detection.tables.column_inference import IDENTIFIER_REASON
from trimtab.detection.tables.timestamps import parse_timestamps

MAX_FEATURE_CATEGORIES: Final = 200
"""Most categories a feature may have; gradient boosting has 255 bins."""
_MAX_MISSING_SHARE: Final = 0.5
_MIN_NET_CHANGE_SHARE: Final = 0.5
"""How far a column that grows with time ends from where it began, as a share of all its changes."""
_NEARLY_ALWAYS_SHARE: Final = 0.999
_MAX_ROWS_IN_ORDER: Final = 20_000
"""Rows that are compared with their times."""
_PLAIN_DTYPES: Final = frozenset(
    {
        "string", "categorical", "boolean", "integer", "floating", "mixed-integer-float",
        "decimal", "datetime64", "datetime", "date", "empty",
    }
)  # fmt: skip
TIME_DTYPES: Final = frozenset({"datetime64", "datetime", "date"})
"""Types of timestamps, as `pandas.api.types.infer_dtype` calls them."""


def find_exclusion_reason(candidate: Candidate) -> str:
    """Return the reason of the first rule that excludes the column, or ""."""
    return next(filter(None, (rule(candidate) for rule in _RULES)), "")


def are_timestamps(sample: pd.Series) -> bool:
    """Return whether nearly all of these texts are timestamps."""
    texts = sample.astype("str")
    dated = texts.str.contains(r"\d[-/.: ]\S*\d", regex=True).mean() >= MIN_FITTING_SHARE
    return bool(dated and parse_timestamps(texts).times.notna().mean() >= MIN_FITTING_SHARE)


def _check_name(candidate: Candidate) -> str:
    if not candidate.name:
        return "it has no name: give it one to use it"
    if re.fullmatch(NAME_PATTERN, candidate.name):
        return ""
    return (
        "its name has characters other than letters, digits, _ . : / - and spaces: rename it to"
        " use it"
    )


def _check_pandas_index(candidate: Candidate) -> str:
    return PANDAS_INDEX_REASON if is_pandas_index_name(candidate.name) else ""


def _check_missing(candidate: Candidate) -> str:
    missing = candidate.missing_share
    return f"it is mostly missing ({missing:.0%})" if missing > _MAX_MISSING_SHARE else ""


def _check_values(candidate: Candidate) -> str:
    dtype = pd.api.types.infer_dtype(candidate.sample, skipna=True)
    return "" if dtype in _PLAIN_DTYPES else f"it holds neither numbers nor texts but {dtype}"


def _check_constant(candidate: Candidate) -> str:
    return "it is constant" if candidate.distinct_count <= 1 else ""


def _check_timestamp(candidate: Candidate) -> str:
    is_typed = pd.api.types.infer_dtype(candidate.sample) in TIME_DTYPES
    if is_typed or (candidate.is_text and are_timestamps(candidate.sample)):
        return (
            "it is a second timestamp: only the hour, weekday and month of the first can be"
            " features"
        )
    return ""


def _check_part_of_timestamp(candidate: Candidate) -> str:
    """Return a reason if the column repeats, say, the hour or the week of the timestamp.

    Day and week drift with the calendar; hour, weekday and month are derived where they help.
    """
    if not pd.api.types.is_integer_dtype(candidate.sample.dtype):
        return ""
    stride = max(1, len(candidate.times) // _MAX_ROWS_IN_ORDER)
    numbers, dates = candidate.numbers.iloc[::stride], candidate.times.iloc[::stride].dt
    parts = {
        "hour": dates.hour, "minute": dates.minute, "weekday": dates.day_of_week,
        "day of the month": dates.day, "week": dates.isocalendar().week, "month": dates.month,
        "day of the year": dates.day_of_year, "quarter": dates.quarter, "year": dates.year,
    }  # fmt: skip
    for name, part in parts.items():
        offset = numbers - part.astype("float64")
        is_same = (offset == offset.median()).mean() >= _NEARLY_ALWAYS_SHARE
        if part.max() > part.min() and is_same:
            return f"it repeats the timestamp's {name}"
    return ""


def _check_identifier(candidate: Candidate) -> str:
    share = candidate.distinct_count / len(candidate.non_missing)
    if candidate.kind is FeatureKind.CATEGORICAL:
        return IDENTIFIER_REASON if candidate.is_text and share >= MIN_FITTING_SHARE else ""
    if not candidate.is_whole:
        return ""
    if IDENTIFIER_NAME_PATTERN.search(candidate.name):
        distinct = candidate.distinct_count
        return f"it is an identifier by its name ({distinct:,} distinct whole numbers)"
    width = candidate.numbers.max() - candidate.numbers.min() + 1
    is_dense = width <= 2 * candidate.distinct_count
    is_row_number = share >= _NEARLY_ALWAYS_SHARE and is_dense
    return "it is an identifier: it numbers the rows" if is_row_number else ""


def _check_growth(candidate: Candidate) -> str:
    is_numeric = pd.api.types.is_numeric_dtype(candidate.sample.dtype)
    if not is_numeric and candidate.kind is FeatureKind.CATEGORICAL:
        return ""
    stride = max(1, len(candidate.times) // _MAX_ROWS_IN_ORDER)
    pairs = pd.DataFrame({"time": candidate.times, "x": candidate.numbers}).iloc[::stride].dropna()
    extent = pairs.groupby("time", sort=True)["x"].agg(["min", "max"])
    low, high = extent["min"].to_numpy(), extent["max"].to_numpy()
    if _rises(low, high) or _rises(-high, -low):
        return "it rises or falls with time: every later window would look drifted"
    return ""


def _rises(low: FloatArray, high: FloatArray) -> bool:
    """Return whether values rise from one time to the next, hardly ever fall, and end higher.

    `low` and `high` are the least and the greatest value at each time, shape (times,).
    """
    rises = int((low[1:] > high[:-1]).sum())
    falls = int((low[1:] < high[:-1]).sum())
    if not rises or falls > (1 - MIN_FITTING_SHARE) * rises:
        return False
    changes = np.abs(np.diff(high)).sum()
    return bool(high[-1] - high[0] >= _MIN_NET_CHANGE_SHARE * changes)


def _check_category_count(candidate: Candidate) -> str:
    count = candidate.distinct_count
    if candidate.kind is FeatureKind.NUMERIC or count <= MAX_FEATURE_CATEGORIES:
        return ""
    return f"it has too many categories ({count:,}; at most {MAX_FEATURE_CATEGORIES} are useful)"


def _check_leakage(candidate: Candidate) -> str:
    return find_leakage(
        candidate.values, candidate.target, kind=candidate.kind, task=candidate.task
    )


_RULES: Final[tuple[Callable[[Candidate], str], ...]] = (
    _check_name, _check_pandas_index, _check_missing, _check_values, _check_constant,
    _check_timestamp, _check_part_of_timestamp, _check_identifier, _check_growth,
    _check_category_count, _check_leakage,
)  # fmt: skip
