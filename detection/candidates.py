"""Judges which columns of a table a model may learn from, and what each of them is."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from contracts.base import NAME_PATTERN, Record
from contracts.drift import FeatureKind
from contracts.model import Task
from detection.columns import as_numbers
from detection.instants import read_instants
from detection.leakage import gives_away

MANY_CATEGORIES: Final = 200
"""Most categories a feature may have; gradient boosting bins 255."""
_MOSTLY = 0.5
_NEARLY_ALL = 0.95
_USUALLY = 0.999
_FEW = 50
"""Most different whole numbers that a column named like an identifier may hold and be a code."""
_SAMPLE = 2000
_ROWS_IN_ORDER = 20_000
_SKEWED = 20.0
"""Ratio of a column's 99th to its 1st percentile from which zero looks like its natural floor."""
_ID_NAME = re.compile(r"(?i:(^|[_\W])(id|uuid|guid|key|hash|token)$)|[a-z](Id|ID)$")
_SHARE_NAME = re.compile(r"(^|[_\W])(share|ratio|fraction|percent|pct|prob|probability)($|[_\W])")

Numbers = npt.NDArray[np.float64]


class Judgement(Record):
    """What is to become of a column."""

    name: str
    kind: FeatureKind | None
    """None where it is left out."""
    minimum: float | None = None
    maximum: float | None = None
    reason: str = ""
    """Why it is left out."""
    holds: str
    """What is in it."""


@dataclass(frozen=True)
class Candidate:
    """A column that might become a feature, beside what it is judged by."""

    name: str
    values: pd.Series
    times: pd.Series
    target: pd.Series
    task: Task

    @cached_property
    def known(self) -> pd.Series:
        """The values that are there."""
        return self.values.dropna()

    @cached_property
    def sample(self) -> pd.Series:
        """Some of the values that are there, from all over the table."""
        return self.known.iloc[:: max(1, len(self.known) // _SAMPLE)]

    @cached_property
    def distinct(self) -> int:
        """How many different values there are."""
        return int(self.known.nunique())

    @cached_property
    def textual(self) -> bool:
        """Whether the values are texts."""
        return pd.api.types.infer_dtype(self.sample, skipna=True) in {"string", "categorical"}

    @cached_property
    def numbers(self) -> pd.Series:
        """The values as numbers, as they are profiled and learnt from."""
        return as_numbers(self.values)

    @cached_property
    def whole(self) -> bool:
        """Whether all values are whole numbers."""
        return bool((self.numbers.dropna() % 1 == 0).all())

    @cached_property
    def kind(self) -> FeatureKind:
        """How the column is measured."""
        if pd.api.types.is_bool_dtype(self.sample.infer_objects().dtype):
            return FeatureKind.CATEGORICAL
        if isinstance(self.values.dtype, pd.CategoricalDtype):
            return FeatureKind.CATEGORICAL
        if self.textual:
            return FeatureKind.NUMERIC if self._numbers_as_text() else FeatureKind.CATEGORICAL
        flag = self.distinct <= 2 and self.whole  # noqa: PLR2004 - a flag is one of two
        code = self.whole and self.distinct <= _FEW and bool(_ID_NAME.search(self.name))
        return FeatureKind.CATEGORICAL if flag or code else FeatureKind.NUMERIC

    def _numbers_as_text(self) -> bool:
        """Numbers among other words; digits that begin with 0 are codes."""
        words = self.sample.astype("str").str.strip()
        if words.str.match(r"0\d").any():
            return False
        share = pd.to_numeric(words, errors="coerce").notna().mean()
        return bool(share >= _NEARLY_ALL and self.distinct > _FEW)


def judge(candidate: Candidate) -> Judgement:
    """What is to become of the column: a feature with its bounds, or left out with the reason."""
    reason = next(filter(None, (rule(candidate) for rule in _REASONS)), "")
    if reason:
        return Judgement(name=candidate.name, kind=None, reason=reason, holds=_examples(candidate))
    if candidate.kind is FeatureKind.CATEGORICAL:
        holds = f"{candidate.distinct:,} categories, {_examples(candidate)}"
        return Judgement(name=candidate.name, kind=candidate.kind, holds=holds + _gaps(candidate))
    minimum, maximum = bounds(candidate.numbers, name=candidate.name)
    return Judgement(
        name=candidate.name,
        kind=candidate.kind,
        minimum=minimum,
        maximum=maximum,
        holds=describe_numbers(candidate.numbers) + _gaps(candidate),
    )


def bounds(numbers: pd.Series, *, name: str) -> tuple[float | None, float | None]:
    """Bounds that plainly hold by the column's nature, such as 0 for counts."""
    known = numbers.dropna()
    floor = 0.0 if (known >= 0).mean() >= _USUALLY and _starts_at_zero(known) else None
    if floor is None or not _SHARE_NAME.search(name.lower()):
        return floor, None
    top = next((top for top in (1.0, 100.0) if (known <= top).mean() >= _USUALLY), None)
    return floor, top


def describe_numbers(numbers: pd.Series) -> str:
    """Range and median, in a few words."""
    known = numbers.dropna()
    return f"{known.min():,.6g} to {known.max():,.6g}, median {known.median():,.6g}"


def _starts_at_zero(known: pd.Series) -> bool:
    """Counts and amounts do; temperatures that happened to be positive do not."""
    if (known % 1 == 0).all() or (known == 0).mean() >= 1 - _USUALLY:
        return True
    low, high = known.quantile([0.01, 0.99])
    return bool(low >= 0 and high >= _SKEWED * low)


def _bad_name(candidate: Candidate) -> str:
    if re.fullmatch(NAME_PATTERN, candidate.name):
        return ""
    return "its name has signs beyond letters, digits, _ . : / - and spaces: rename it to use it"


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
    if typed or (candidate.textual and _reads_as_time(candidate.sample)):
        return "a second time: only the timestamp's hour, weekday and month can be features"
    return ""


def _reads_as_time(sample: pd.Series) -> bool:
    words = sample.astype("str")
    dated = words.str.contains(r"\d[-/.: ]\S*\d", regex=True).mean() >= _NEARLY_ALL
    return bool(dated and read_instants(words).times.notna().mean() >= _NEARLY_ALL)


def _identifier(candidate: Candidate) -> str:
    share = candidate.distinct / len(candidate.known)
    if candidate.textual and share >= _NEARLY_ALL:
        return "an identifier or free text: nearly every row has its own"
    named = bool(_ID_NAME.search(candidate.name))
    if candidate.textual or candidate.kind is FeatureKind.CATEGORICAL or not candidate.whole:
        return ""
    if named:
        return f"an identifier by its name ({candidate.distinct:,} different whole numbers)"
    span = candidate.numbers.max() - candidate.numbers.min() + 1
    dense = span <= 2 * candidate.distinct
    return "an identifier: a row number" if share >= _USUALLY and dense else ""


def _runs_with_the_clock(candidate: Candidate) -> str:
    if not pd.api.types.is_numeric_dtype(candidate.sample.dtype):
        return ""
    stride = max(1, len(candidate.times) // _ROWS_IN_ORDER)
    pairs = pd.DataFrame({"t": candidate.times, "x": candidate.numbers}).iloc[::stride].dropna()
    span = pairs.groupby("t", sort=True)["x"].agg(["min", "max"])
    low, high = span["min"].to_numpy(), span["max"].to_numpy()
    if _climbs(low, high) or _climbs(-high, -low):
        return "runs with the clock: every later window would look drifted"
    return ""


def _climbs(low: Numbers, high: Numbers) -> bool:
    """Whether, from one time to the next, the values rise, hardly ever fall, and end higher."""
    rises = int((low[1:] > high[:-1]).sum())
    falls = int((low[1:] < high[:-1]).sum())
    if not rises or falls > (1 - _NEARLY_ALL) * rises:
        return False
    way = np.abs(np.diff(high)).sum()
    return bool(high[-1] - high[0] >= _MOSTLY * way)


def _too_many_categories(candidate: Candidate) -> str:
    if candidate.kind is FeatureKind.NUMERIC or candidate.distinct <= MANY_CATEGORIES:
        return ""
    return f"too many categories ({candidate.distinct:,}; at most {MANY_CATEGORIES} are of use)"


def _giveaway(candidate: Candidate) -> str:
    return gives_away(candidate.values, candidate.target, kind=candidate.kind, task=candidate.task)


_REASONS: Final[tuple[Callable[[Candidate], str], ...]] = (
    _bad_name, _mostly_missing, _no_plain_values, _constant, _second_time, _identifier,
    _runs_with_the_clock, _too_many_categories, _giveaway,
)  # fmt: skip
"""Why a column is left out: the first that applies is told."""


def _examples(candidate: Candidate) -> str:
    shown = [str(value)[:24] for value in candidate.sample.head(200).astype("object")]
    return "such as " + ", ".join(list(dict.fromkeys(shown))[:3]) if shown else "no value"


def _gaps(candidate: Candidate) -> str:
    missing = 1 - len(candidate.known) / len(candidate.values)
    return f", {max(missing, 0.001):.1%} missing" if missing else ""
