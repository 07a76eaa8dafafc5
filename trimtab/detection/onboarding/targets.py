"""Tells from a target's values what task it sets a model, and what measures success."""

from typing import Final

import pandas as pd

from trimtab.contracts.base import Record
from trimtab.contracts.model import Task
from trimtab.detection.onboarding.feature_proposal import describe_numbers
from trimtab.detection.profiles.casting import cast_to_numbers

MOST_CLASSES: Final = 100
"""More different texts are no classes any more."""
_FEW_CODES = 10
"""Most different whole numbers that are taken for classes rather than amounts."""
_ROWS_A_CODE = 20
_NEARLY_ALL = 0.95
_USUALLY = 0.999
_SAMPLE = 2000
_TWO = 2
_SHOWN = 4
_TEXTS: Final = {"string", "categorical", "boolean"}
_PLAIN: Final = _TEXTS | {"integer", "floating", "mixed-integer-float", "decimal"}


class Target(Record):
    """What there is to be predicted."""

    task: Task
    metric: str
    minimum: float | None = None
    holds: str
    """What is in it."""
    reason: str
    """Why it is that task."""


class UnfitTargetError(ValueError):
    """Nothing can be learnt from this target."""


def judge_target(values: pd.Series, *, task: Task | None = None) -> Target:
    """The task that the target sets, or the known one; raises `UnfitTargetError` where none is."""
    known = values.dropna()
    found = pd.api.types.infer_dtype(known.head(_SAMPLE))
    if known.empty:
        msg = "it is empty: name a column that holds the truth"
        raise UnfitTargetError(msg)
    if found not in _PLAIN:
        msg = f"it holds values of type {found}: a target is a number, a text or true and false"
        raise UnfitTargetError(msg)
    distinct = known.nunique()
    if distinct == 1:
        msg = f"it is always {str(known.iloc[0])!r}: there is nothing to predict"
        raise UnfitTargetError(msg)
    numbers = cast_to_numbers(known)
    if task is Task.CLASSIFICATION:
        return _classes(known, "as the model's signature tells")
    if task is Task.REGRESSION:
        return _amounts(numbers).model_copy(update={"reason": "as the model's signature tells"})
    if found in _TEXTS and (distinct <= _FEW_CODES or numbers.notna().mean() < _NEARLY_ALL):
        return _classes(known, "texts are classes")
    if distinct == _TWO:
        return _classes(known, "two values are classes")
    whole = bool((numbers.dropna() % 1 == 0).all())
    if whole and distinct <= _FEW_CODES and len(known) >= _ROWS_A_CODE * distinct:
        return _classes(known, "few whole numbers are classes; for amounts: regression, r2")
    return _amounts(numbers)


def _classes(known: pd.Series, reason: str) -> Target:
    sizes = known.value_counts()
    sizes = sizes[sizes > 0]
    if len(sizes) > MOST_CLASSES:
        msg = f"it holds {len(sizes):,} different texts: neither numbers nor classes"
        raise UnfitTargetError(msg)
    shown = ", ".join(
        f"{name} {size / len(known):.1%}" for name, size in sizes.head(_SHOWN).items()
    )
    return Target(
        task=Task.CLASSIFICATION,
        metric="roc_auc" if len(sizes) == _TWO else "balanced_accuracy",
        holds=f"{len(sizes)} classes: {shown}{', …' if len(sizes) > _SHOWN else ''}",
        reason=reason,
    )


def _amounts(numbers: pd.Series) -> Target:
    known = numbers.dropna()
    never_negative = bool((known >= 0).mean() >= _USUALLY)
    return Target(
        task=Task.REGRESSION,
        metric="r2",
        minimum=0.0 if never_negative else None,
        holds=describe_numbers(numbers),
        reason=f"{known.nunique():,} different numbers are amounts; for codes: classification",
    )
