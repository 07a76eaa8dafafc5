"""Judges what is to become of a table's column: a feature with its bounds, or left out."""

import re

import pandas as pd

from trimtab.contracts.base import Record
from trimtab.contracts.drift import FeatureKind
from trimtab.detection.onboarding.candidates import Candidate
from trimtab.detection.onboarding.exclusions import why_left_out

_USUALLY = 0.999
_SKEWED = 20.0
"""Ratio of a column's 99th to its 1st percentile from which zero looks like its natural floor."""
_SHARE_NAME = re.compile(r"(^|[_\W])(share|ratio|fraction|percent|pct|prob|probability)($|[_\W])")


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


def judge(candidate: Candidate) -> Judgement:
    """What is to become of the column: a feature with its bounds, or left out with the reason."""
    reason = why_left_out(candidate)
    if reason:
        return Judgement(name=candidate.name, kind=None, reason=reason, holds=_examples(candidate))
    return describe(candidate, candidate.kind)


def describe(candidate: Candidate, kind: FeatureKind) -> Judgement:
    """A feature of that kind, with its bounds."""
    if kind is FeatureKind.CATEGORICAL:
        holds = f"{candidate.distinct:,} categories, {_examples(candidate)}"
        return Judgement(name=candidate.name, kind=kind, holds=holds + _gaps(candidate))
    minimum, maximum = bounds(candidate.numbers, name=candidate.name)
    return Judgement(
        name=candidate.name,
        kind=kind,
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


def _examples(candidate: Candidate) -> str:
    shown = [str(value)[:24] for value in candidate.sample.head(200).astype("object")]
    return "such as " + ", ".join(list(dict.fromkeys(shown))[:3]) if shown else "no value"


def _gaps(candidate: Candidate) -> str:
    missing = 1 - len(candidate.known) / len(candidate.values)
    return f", {max(missing, 0.001):.1%} missing" if missing else ""
