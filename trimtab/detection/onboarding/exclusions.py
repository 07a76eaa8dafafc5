"""Why a column is left out: what cannot be learnt from, or must not be.

Each rule is a function from a candidate to the reason, or "".
"""

import re
from collections.abc import Callable
from typing import Final

import numpy as np
import pandas as pd

from trimtab.contracts.base import NAME_PATTERN
from trimtab.contracts.drift import FeatureKind
from trimtab.detection.onboarding.candidates import ID_NAME, NEARLY_ALL, Candidate
from trimtab.detection.onboarding.leakage import gives_away
from trimtab.detection.profiles.arrays import FloatArray
from trimtab.detection.profiles.row_numbers import PANDAS_INDEX_REASON, is_pandas_index_name
from trimtab.detection.tables.timestamps import parse_timestamps

MANY_CATEGORIES: Final = 200
"""Most categories a feature may have; gradient boosting bins 255."""
_MOSTLY = 0.5
_USUALLY = 0.999
_ROWS_IN_ORDER = 20_000


def why_left_out(candidate: Candidate) -> str:
    """The first reason that applies, or ""."""
    return next(filter(None, (rule(candidate) for rule in _RULES)), "")


def _bad_name(candidate: Candidate) -> str:
    if not candidate.name:
        return "it has no name: give it one to use it"
    if re.fullmatch(NAME_PATTERN, candidate.name):
        return ""
    return "its name has signs beyond letters, digits, _ . : / - and spaces: rename it to use it"


def _index(candidate: Candidate) -> str:
    return PANDAS_INDEX_REASON if is_pandas_index_name(candidate.name) else ""


def _no_plain_values(candidate: Candidate) -> str:
    found = pd.api.types.infer_dtype(candidate.sample, skipna=True)
    plain = {"string", "categorical", "boolean", "integer", "floating", "mixed-integer-float",
             "decimal", "datetime64", "datetime", "date", "empty"}  # fmt: skip
    return "" if found in plain else f"holds neither numbers nor texts but {found}"


def _mostly_missing(candidate: Candidate) -> str:
    missing = 1 - len(candidate.known) / len(candidate.values)
    return f"mostly missing ({missing:.0%})" if missing > _MOSTLY else ""


def _constant(candidate: Candidate) -> str:
    return "constant" if candidate.distinct <= 1 else ""


def _second_time(candidate: Candidate) -> str:
    typed = pd.api.types.infer_dtype(candidate.sample) in {"datetime64", "datetime", "date"}
    if typed or (candidate.textual and reads_as_time(candidate.sample)):
        return "a second time: only the timestamp's hour, weekday and month can be features"
    return ""


def reads_as_time(sample: pd.Series) -> bool:
    """Whether nearly all of these texts are times."""
    words = sample.astype("str")
    dated = words.str.contains(r"\d[-/.: ]\S*\d", regex=True).mean() >= NEARLY_ALL
    return bool(dated and parse_timestamps(words).times.notna().mean() >= NEARLY_ALL)


def _identifier(candidate: Candidate) -> str:
    share = candidate.distinct / len(candidate.known)
    if candidate.kind is FeatureKind.CATEGORICAL:
        words = candidate.textual and share >= NEARLY_ALL
        return "an identifier or free text: nearly every row has its own" if words else ""
    if not candidate.whole:
        return ""
    if ID_NAME.search(candidate.name):
        return f"an identifier by its name ({candidate.distinct:,} different whole numbers)"
    span = candidate.numbers.max() - candidate.numbers.min() + 1
    dense = span <= 2 * candidate.distinct
    return "an identifier: a row number" if share >= _USUALLY and dense else ""


def _part_of_the_time(candidate: Candidate) -> str:
    """Day and week drift by the calendar; hour, weekday and month are derived where of use."""
    if not pd.api.types.is_integer_dtype(candidate.sample.dtype):
        return ""
    stride = max(1, len(candidate.times) // _ROWS_IN_ORDER)
    numbers, dates = candidate.numbers.iloc[::stride], candidate.times.iloc[::stride].dt
    parts = {
        "hour": dates.hour, "minute": dates.minute, "weekday": dates.day_of_week,
        "day of the month": dates.day, "week": dates.isocalendar().week, "month": dates.month,
        "day of the year": dates.day_of_year, "quarter": dates.quarter, "year": dates.year,
    }  # fmt: skip
    for name, part in parts.items():
        ahead = numbers - part.astype("float64")
        if part.max() > part.min() and (ahead == ahead.median()).mean() >= _USUALLY:
            return f"the timestamp's {name} over again"
    return ""


def _runs_with_the_clock(candidate: Candidate) -> str:
    numeric = pd.api.types.is_numeric_dtype(candidate.sample.dtype)
    if not numeric and candidate.kind is FeatureKind.CATEGORICAL:
        return ""
    stride = max(1, len(candidate.times) // _ROWS_IN_ORDER)
    pairs = pd.DataFrame({"t": candidate.times, "x": candidate.numbers}).iloc[::stride].dropna()
    span = pairs.groupby("t", sort=True)["x"].agg(["min", "max"])
    low, high = span["min"].to_numpy(), span["max"].to_numpy()
    if _climbs(low, high) or _climbs(-high, -low):
        return "runs with the clock: every later window would look drifted"
    return ""


def _climbs(low: FloatArray, high: FloatArray) -> bool:
    """Whether, from one time to the next, the values rise, hardly ever fall, and end higher."""
    rises = int((low[1:] > high[:-1]).sum())
    falls = int((low[1:] < high[:-1]).sum())
    if not rises or falls > (1 - NEARLY_ALL) * rises:
        return False
    way = np.abs(np.diff(high)).sum()
    return bool(high[-1] - high[0] >= _MOSTLY * way)


def _too_many_categories(candidate: Candidate) -> str:
    if candidate.kind is FeatureKind.NUMERIC or candidate.distinct <= MANY_CATEGORIES:
        return ""
    return f"too many categories ({candidate.distinct:,}; at most {MANY_CATEGORIES} are of use)"


def _giveaway(candidate: Candidate) -> str:
    return gives_away(candidate.values, candidate.target, kind=candidate.kind, task=candidate.task)


_RULES: Final[tuple[Callable[[Candidate], str], ...]] = (
    _bad_name, _index, _mostly_missing, _no_plain_values, _constant, _second_time,
    _part_of_the_time, _identifier, _runs_with_the_clock, _too_many_categories, _giveaway,
)  # fmt: skip
