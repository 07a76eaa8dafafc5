"""Proposes what becomes of a table's column: a feature with its bounds, or an excluded column."""

import re
from typing import Final

import pandas as pd

from trimtab.contracts.base import Record
from trimtab.contracts.drift import FeatureKind
from trimtab.detection.onboarding.candidates import Candidate
from trimtab.detection.onboarding.exclusions import find_exclusion_reason

_NEARLY_ALWAYS_SHARE: Final = 0.999
_MIN_SKEW: Final = 20.0
"""Ratio of a column's 99th to its 1st percentile from which zero counts as its natural minimum."""
_SHARE_NAME_PATTERN: Final = re.compile(
    r"(^|[_\W])(share|ratio|fraction|percent|pct|prob|probability)($|[_\W])"
)


class ColumnProposal(Record):
    """What becomes of a column."""

    name: str
    kind: FeatureKind | None
    """None if the column is excluded."""
    minimum: float | None = None
    maximum: float | None = None
    reason: str = ""
    """Why the column is excluded; "" if it is not."""
    summary: str
    """What the column holds."""


def propose_column(candidate: Candidate) -> ColumnProposal:
    """Return the column as a feature with its bounds, or as excluded with the reason."""
    reason = find_exclusion_reason(candidate)
    if reason:
        summary = _format_examples(candidate)
        return ColumnProposal(name=candidate.name, kind=None, reason=reason, summary=summary)
    return propose_feature(candidate, candidate.kind)


def propose_feature(candidate: Candidate, kind: FeatureKind) -> ColumnProposal:
    """Return the column as a feature of that kind, with its bounds."""
    missing = _format_missing(candidate)
    if kind is FeatureKind.CATEGORICAL:
        summary = f"{candidate.distinct_count:,} categories, {_format_examples(candidate)}{missing}"
        return ColumnProposal(name=candidate.name, kind=kind, summary=summary)
    minimum, maximum = infer_bounds(candidate.numbers, name=candidate.name)
    return ColumnProposal(
        name=candidate.name,
        kind=kind,
        minimum=minimum,
        maximum=maximum,
        summary=format_range(candidate.numbers) + missing,
    )


def infer_bounds(numbers: pd.Series, *, name: str) -> tuple[float | None, float | None]:
    """Return the minimum and maximum that follow from what the column is, such as 0 for counts."""
    known = numbers.dropna()
    is_never_negative = (known >= 0).mean() >= _NEARLY_ALWAYS_SHARE
    minimum = 0.0 if is_never_negative and _starts_at_zero(known) else None
    if minimum is None or not _SHARE_NAME_PATTERN.search(name.lower()):
        return minimum, None
    fitting = (top for top in (1.0, 100.0) if (known <= top).mean() >= _NEARLY_ALWAYS_SHARE)
    return minimum, next(fitting, None)


def format_range(numbers: pd.Series) -> str:
    """Return least, greatest and median value as text."""
    known = numbers.dropna()
    return f"{known.min():,.6g} to {known.max():,.6g}, median {known.median():,.6g}"


def _starts_at_zero(known: pd.Series) -> bool:
    """Return whether these are counts or amounts, and not, say, temperatures above zero."""
    if (known % 1 == 0).all() or (known == 0).mean() >= 1 - _NEARLY_ALWAYS_SHARE:
        return True
    low, high = known.quantile([0.01, 0.99])
    return bool(low >= 0 and high >= _MIN_SKEW * low)


def _format_examples(candidate: Candidate) -> str:
    shown = [str(value)[:24] for value in candidate.sample.head(200).astype("object")]
    return "such as " + ", ".join(list(dict.fromkeys(shown))[:3]) if shown else "no value"


def _format_missing(candidate: Candidate) -> str:
    missing = candidate.missing_share
    return f", {max(missing, 0.001):.1%} missing" if missing else ""
