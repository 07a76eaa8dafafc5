"""Compares a registered model's signature with a table: the inputs it has, and the likely target.

The signature decides what the model's inputs are: none of them is excluded, however odd it looks.
"""

import re
from collections.abc import Iterator
from typing import Final

import pandas as pd

from trimtab.contracts.base import NAME_PATTERN
from trimtab.contracts.drift import FeatureKind
from trimtab.contracts.model import ModelSpec, Task, Tier
from trimtab.contracts.signature import NUMBER_TYPES, TEXT_TYPES, ModelInput, ModelSignature
from trimtab.contracts.suggestions import suggest_name
from trimtab.detection.onboarding.candidates import MIN_FITTING_SHARE, Candidate
from trimtab.detection.onboarding.exclusions import TIME_DTYPES, are_timestamps
from trimtab.detection.onboarding.feature_proposal import ColumnProposal, propose_feature
from trimtab.detection.onboarding.predictions import is_prediction_name
from trimtab.detection.onboarding.targets import UnfitTargetError, propose_target
from trimtab.detection.profiles.casting import cast_to_numbers

DERIVED_INPUTS: Final = ("hour", "weekday", "month")
"""Inputs that the pipelines compute from the timestamp if the table does not have them."""
_SAMPLE_ROWS: Final = 200


def guess_timestamp_columns(table: pd.DataFrame) -> tuple[str, ...]:
    """Return the columns that hold timestamps."""
    return tuple(str(name) for name in table.columns if _holds_timestamps(table[name]))


def guess_target_columns(
    table: pd.DataFrame, signature: ModelSignature, *, timestamp: str | None
) -> tuple[str, ...]:
    """Return the columns that may hold the truth: only one if the model's output has its name."""
    inputs = {each.name for each in signature.inputs}
    others = [
        str(name)
        for name in table.columns
        if name not in inputs and name != timestamp and not _holds_timestamps(table[name])
    ]
    if signature.output in others and not is_prediction_name(signature.output):
        return (signature.output,)
    return tuple(
        name
        for name in others
        if not is_prediction_name(name) and _may_be_target(table[name], signature)
    )


def find_signature_faults(table: pd.DataFrame, signature: ModelSignature) -> Iterator[str]:
    """Yield each reason why the model cannot predict the rows of this table, with the remedy."""
    for each in signature.inputs:
        fault = _find_input_fault(table, each)
        if fault:
            yield f"input {each.name!r} of version {signature.version}: {fault}"


def propose_model_input(signature: ModelSignature, candidate: Candidate) -> ColumnProposal:
    """Return the column as a feature if the model has it as an input, or else as excluded.

    Its kind follows from the type in the signature and from its values.
    """
    found = next((each for each in signature.inputs if each.name == candidate.name), None)
    if found is None:
        is_empty = candidate.non_missing.empty
        return ColumnProposal(
            name=candidate.name,
            kind=None,
            reason=f"it is not among the inputs of version {signature.version}",
            summary="no value" if is_empty else propose_feature(candidate, candidate.kind).summary,
        )
    kind = FeatureKind.CATEGORICAL if found.type in TEXT_TYPES else candidate.kind
    return propose_feature(candidate, kind)


def adapt_spec(spec: ModelSpec, signature: ModelSignature, rows: pd.DataFrame) -> ModelSpec:
    """Return the configuration of a model trained elsewhere: a person decides on its actions."""
    derived = (each.name for each in signature.inputs if each.name not in rows)
    has_scores = bool(spec.prediction) or signature.chances
    metric = "balanced_accuracy" if spec.metric == "roc_auc" and not has_scores else spec.metric
    return spec.model_copy(
        update={"time_features": tuple(derived), "tier": Tier.CRITICAL, "metric": metric}
    )


def infer_task(signature: ModelSignature, target: pd.Series) -> Task | None:
    """Return the signature's task, or None if it has none or the target does not fit it."""
    if signature.task is not Task.REGRESSION:
        return signature.task
    known = target.dropna()
    is_numeric = not known.empty and cast_to_numbers(known).notna().mean() >= MIN_FITTING_SHARE
    return Task.REGRESSION if is_numeric else None


def _find_input_fault(table: pd.DataFrame, wanted: ModelInput) -> str:
    names = [str(name) for name in table.columns]
    if wanted.name not in names and wanted.name not in DERIVED_INPUTS:
        near = suggest_name(wanted.name, names)
        hint = f"did you mean {near!r}? " if near else ""
        return f"no such column: {hint}rename one of {', '.join(names)}"
    if not re.fullmatch(NAME_PATTERN, wanted.name):
        allowed = "letters, digits, _ . : / - and spaces"
        return f"a feature's name may have only {allowed}: register it with another name"
    if wanted.type not in NUMBER_TYPES | TEXT_TYPES:
        return f"its type is {wanted.type}: Trimtab supports numbers, texts and flags"
    if wanted.name in names and wanted.type in NUMBER_TYPES:
        return _find_number_fault(table[wanted.name])
    return ""


def _find_number_fault(values: pd.Series) -> str:
    known = values.dropna()
    texts = known[cast_to_numbers(known).isna()]
    if len(texts) <= (1 - MIN_FITTING_SHARE) * len(known):
        return ""
    return f"it is a number, but the column holds {str(texts.iloc[0])!r}: correct the column"


def _may_be_target(values: pd.Series, signature: ModelSignature) -> bool:
    """Return whether the values can be the truth of what the model predicts."""
    try:
        target = propose_target(values, task=infer_task(signature, values))
    except UnfitTargetError:
        return False
    return signature.task in {None, target.task}


def _holds_timestamps(values: pd.Series) -> bool:
    sample = values.dropna().head(_SAMPLE_ROWS)
    dtype = pd.api.types.infer_dtype(sample, skipna=True)
    return dtype in TIME_DTYPES or (dtype == "string" and are_timestamps(sample))
