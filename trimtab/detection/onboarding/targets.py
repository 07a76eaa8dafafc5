"""Infers a target's task from its values, and the metric that measures success."""

from typing import Final

import pandas as pd

from trimtab.contracts.base import Record
from trimtab.contracts.model import Task
from trimtab.detection.onboarding.candidates import MIN_FITTING_SHARE
from trimtab.detection.onboarding.feature_proposal import format_range
from trimtab.detection.profiles.casting import cast_to_numbers

MAX_CLASSES: Final = 100
"""More distinct texts are no classes."""
_MAX_CODES: Final = 10
"""Most distinct whole numbers that count as classes rather than amounts."""
_MIN_ROWS_PER_CODE: Final = 20
_NEARLY_ALWAYS_SHARE: Final = 0.999
_SAMPLE_ROWS: Final = 2000
_BINARY_CLASSES: Final = 2
_MAX_SHOWN_CLASSES: Final = 4
_TEXT_DTYPES: Final = {"string", "categorical", "boolean"}
_PLAIN_DTYPES: Final = _TEXT_DTYPES | {"integer", "floating", "mixed-integer-float", "decimal"}


class TargetProposal(Record):
    """What is to be predicted."""

    task: Task
    metric: str
    minimum: float | None = None
    summary: str
    """What the target holds."""
    reason: str
    """Why it is this task."""


class UnfitTargetError(ValueError):
    """The target cannot be learnt."""


def propose_target(values: pd.Series, *, task: Task | None = None) -> TargetProposal:
    """Return the target's task, inferred from its values unless it is known.

    Raises:
        UnfitTargetError: The values set no task.
    """
    known = values.dropna()
    distinct = _check_target(known)
    if task is Task.CLASSIFICATION:
        return _propose_classes(known, "from the model's signature")
    numbers = cast_to_numbers(known)
    if task is Task.REGRESSION:
        return _propose_amounts(numbers, "from the model's signature")
    is_text = pd.api.types.infer_dtype(known.head(_SAMPLE_ROWS)) in _TEXT_DTYPES
    if is_text and (distinct <= _MAX_CODES or numbers.notna().mean() < MIN_FITTING_SHARE):
        return _propose_classes(known, "texts are classes")
    if distinct == _BINARY_CLASSES:
        return _propose_classes(known, "two distinct values are classes")
    is_whole = bool((numbers.dropna() % 1 == 0).all())
    if is_whole and distinct <= _MAX_CODES and len(known) >= _MIN_ROWS_PER_CODE * distinct:
        reason = "few distinct whole numbers are classes; for amounts: regression, r2"
        return _propose_classes(known, reason)
    distinct_numbers = numbers.dropna().nunique()
    reason = f"{distinct_numbers:,} distinct numbers are amounts; for codes: classification"
    return _propose_amounts(numbers, reason)


def _check_target(known: pd.Series) -> int:
    """Return the number of distinct values; raise `UnfitTargetError` if they are no target."""
    if known.empty:
        msg = "it is empty: name a column that holds the truth"
        raise UnfitTargetError(msg)
    dtype = pd.api.types.infer_dtype(known.head(_SAMPLE_ROWS))
    if dtype not in _PLAIN_DTYPES:
        msg = f"it holds values of type {dtype}: name a column of numbers, texts or true and false"
        raise UnfitTargetError(msg)
    distinct = int(known.nunique())
    if distinct == 1:
        msg = f"it is always {str(known.iloc[0])!r}, so there is nothing to predict"
        raise UnfitTargetError(msg)
    return distinct


def _propose_classes(known: pd.Series, reason: str) -> TargetProposal:
    sizes = known.value_counts()
    sizes = sizes[sizes > 0]
    if len(sizes) > MAX_CLASSES:
        msg = f"it holds {len(sizes):,} distinct texts, which are neither numbers nor classes"
        raise UnfitTargetError(msg)
    shown = ", ".join(
        f"{name} {size / len(known):.1%}" for name, size in sizes.head(_MAX_SHOWN_CLASSES).items()
    )
    more = ", …" if len(sizes) > _MAX_SHOWN_CLASSES else ""
    return TargetProposal(
        task=Task.CLASSIFICATION,
        metric="roc_auc" if len(sizes) == _BINARY_CLASSES else "balanced_accuracy",
        summary=f"{len(sizes)} classes: {shown}{more}",
        reason=reason,
    )


def _propose_amounts(numbers: pd.Series, reason: str) -> TargetProposal:
    known = numbers.dropna()
    is_never_negative = bool((known >= 0).mean() >= _NEARLY_ALWAYS_SHARE)
    return TargetProposal(
        task=Task.REGRESSION,
        metric="r2",
        minimum=0.0 if is_never_negative else None,
        summary=format_range(numbers),
        reason=reason,
    )
