"""Lays a registered model's signature over a table: which columns it sees, and which is the truth.

What the model sees is settled by its signature: nothing is left out, however odd it looks.
"""

import re
from collections.abc import Iterator

import pandas as pd

from trimtab.contracts.base import NAME_PATTERN
from trimtab.contracts.drift import FeatureKind
from trimtab.contracts.model import ModelSpec, Task, Tier
from trimtab.contracts.signature import NUMBER_TYPES, TEXT_TYPES, ModelSignature
from trimtab.contracts.suggestions import suggest_name
from trimtab.detection.onboarding.candidates import NEARLY_ALL, Candidate
from trimtab.detection.onboarding.exclusions import reads_as_time
from trimtab.detection.onboarding.feature_proposal import Judgement, describe
from trimtab.detection.onboarding.predictions import named_like_predictions
from trimtab.detection.onboarding.targets import UnfitTargetError, judge_target
from trimtab.detection.profiles.casting import cast_to_numbers

DERIVED = ("hour", "weekday", "month")
"""Inputs that the pipelines make from the timestamp where the table lacks them."""


def guess_timestamp(table: pd.DataFrame) -> tuple[str, ...]:
    """The columns that hold times."""
    return tuple(str(name) for name in table.columns if _holds_times(table[name]))


def guess_target(
    table: pd.DataFrame, interface: ModelSignature, *, timestamp: str | None
) -> tuple[str, ...]:
    """The columns that may hold the truth: one, where the model's output or exclusion tells."""
    inputs = {each.name for each in interface.inputs}
    left = [
        str(name)
        for name in table.columns
        if name not in inputs and name != timestamp and not _holds_times(table[name])
    ]
    if interface.output in left and not named_like_predictions(interface.output):
        return (interface.output,)
    return tuple(
        name
        for name in left
        if not named_like_predictions(name) and _may_be(table[name], interface)
    )


def interface_faults(table: pd.DataFrame, interface: ModelSignature) -> Iterator[str]:
    """Why the model cannot be asked about the rows of this table."""
    names = [str(name) for name in table.columns]
    for wanted in interface.inputs:
        place = f"input {wanted.name!r} of version {interface.version}"
        if wanted.name not in names and wanted.name not in DERIVED:
            near = suggest_name(wanted.name, names)
            hint = f"did you mean {near!r}? " if near else ""
            yield f"{place}: no such column: {hint}rename one; there are: {', '.join(names)}"
        elif not re.fullmatch(NAME_PATTERN, wanted.name):
            signs = "letters, digits, _ . : / - and spaces"
            yield f"{place}: a feature's name may hold {signs}: register it with another name"
        elif wanted.type not in NUMBER_TYPES | TEXT_TYPES:
            yield f"{place}: is of type {wanted.type}: Trimtab can feed numbers, texts and flags"
        elif wanted.name in names and wanted.type in NUMBER_TYPES:
            yield from _number_faults(table[wanted.name], place)


def judge_for(interface: ModelSignature, candidate: Candidate) -> Judgement:
    """A feature where the model sees it, of the kind that its values and the signature make it."""
    wanted = next((each for each in interface.inputs if each.name == candidate.name), None)
    if wanted is None:
        reason = f"not among the inputs of version {interface.version}"
        holds = describe(candidate, candidate.kind).holds if len(candidate.known) else "no value"
        return Judgement(name=candidate.name, kind=None, reason=reason, holds=holds)
    kind = FeatureKind.CATEGORICAL if wanted.type in TEXT_TYPES else candidate.kind
    return describe(candidate, kind)


def adapted(spec: ModelSpec, interface: ModelSignature, rows: pd.DataFrame) -> ModelSpec:
    """The configuration of a model that is trained elsewhere: a person decides what is done."""
    derived = (each.name for each in interface.inputs if each.name not in rows)
    ranked = spec.metric == "roc_auc" and (spec.prediction or interface.chances)
    metric = "balanced_accuracy" if spec.metric == "roc_auc" and not ranked else spec.metric
    return spec.model_copy(
        update={"time_features": tuple(derived), "tier": Tier.CRITICAL, "metric": metric}
    )


def output_kind(interface: ModelSignature, target: pd.Series) -> Task | None:
    """The task as the signature tells it, where the target can be read so."""
    if interface.task is Task.REGRESSION:
        known = target.dropna()
        readable = len(known) > 0 and cast_to_numbers(known).notna().mean() >= NEARLY_ALL
        return Task.REGRESSION if readable else None
    return interface.task


def _number_faults(values: pd.Series, place: str) -> Iterator[str]:
    known = values.dropna()
    words = known[cast_to_numbers(known).isna()]
    if len(words) > (1 - NEARLY_ALL) * len(known):
        yield f"{place}: is a number, and the column holds {str(words.iloc[0])!r}: correct it"


def _may_be(values: pd.Series, interface: ModelSignature) -> bool:
    """Whether the values can be the truth of what the model answers."""
    try:
        found = judge_target(values, task=output_kind(interface, values))
    except UnfitTargetError:
        return False
    return interface.task in {None, found.task}


def _holds_times(values: pd.Series) -> bool:
    sample = values.dropna().head(200)
    found = pd.api.types.infer_dtype(sample, skipna=True)
    typed = found in {"datetime64", "datetime", "date"}
    return typed or (found == "string" and reads_as_time(sample))
