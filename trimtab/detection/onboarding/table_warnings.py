"""Lists what a person should check before believing a first configuration."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

import pandas as pd

from trimtab.contracts.model import ModelSpec, Task
from trimtab.contracts.signature import ModelSignature
from trimtab.detection.onboarding.monitoring_settings import explain_short_reference
from trimtab.detection.onboarding.window_choice import WindowChoice
from trimtab.detection.profiles.casting import cast_to_numbers

MAX_TESTED_ROWS: Final = 1_000_000
"""Rows that Trimtab is tested with; more work if memory allows."""
_MIN_WINDOWS_TO_REPLAY: Final = 6
_MIN_REFERENCE_ROWS: Final = 200
_MAX_SHOWN_CLASSES: Final = 3


def list_table_warnings(
    table: pd.DataFrame, spec: ModelSpec, *, windows: WindowChoice, times: pd.Series
) -> Iterator[str]:
    """Yield a warning for everything odd in the table, and for a reference that is too small."""
    undated, unlabelled = int(times.isna().sum()), int(table[spec.target].isna().sum())
    if len(table) > MAX_TESTED_ROWS:
        yield (
            f"the table has {len(table):,} rows, more than the {MAX_TESTED_ROWS:,} that Trimtab is"
            " tested with"
        )
    if undated:
        yield f"{undated:,} rows have no readable time: they are in no window"
    if windows.early_outliers:
        early = f"{windows.early_outliers:,} rows are much older than all others"
        yield f"{early}: they are in no window"
    if windows.late_outliers:
        yield (
            f"{windows.late_outliers:,} rows are much later than all others, up to"
            f" {times.max():%Y-%m-%d}: remove them, or the replay runs until then"
        )
    if unlabelled:
        yield f"{unlabelled:,} rows have no target: they count as not yet labelled"
    if spec.target_minimum is not None:
        below = int((cast_to_numbers(table[spec.target]) < spec.target_minimum).sum())
        if below:
            yield f"{below:,} rows have a target below {spec.target_minimum:g}: they are dirty"
    yield from _list_reference_warnings(table, spec, windows=windows, times=times)


def list_foreign_model_warnings(
    signature: ModelSignature, spec: ModelSpec, *, since: datetime | None
) -> Iterator[str]:
    """Yield a warning for what is unknown of a version that Trimtab did not train."""
    if signature.own:
        return
    version = f"version {signature.version}"
    if since is None:
        yield (
            f"{version} may have been trained on the reference, so its metric there may be too"
            " good: give the end of its training data as --since"
        )
    if not signature.safe and not spec.prediction:
        yield (
            f"{version} is not loaded, because loading it may run its own code: name a prediction"
            f" column, or write trust_pickle: true (it is stored as {signature.kept_as})"
        )


def _list_reference_warnings(
    table: pd.DataFrame, spec: ModelSpec, *, windows: WindowChoice, times: pd.Series
) -> Iterator[str]:
    replayed = len(windows.counts) - windows.reference
    if replayed < _MIN_WINDOWS_TO_REPLAY:
        yield f"only {replayed} windows follow the reference: the table covers no more time"
    length = windows.reference * windows.window
    if shortness := explain_short_reference(windows.window, length):
        yield shortness
    begin = windows.start or times.min().normalize()
    reference = table.loc[times < begin + length, spec.target]
    if len(reference) < _MIN_REFERENCE_ROWS:
        yield f"the reference has only {len(reference)} rows: a first champion learns little"
    if spec.task is Task.CLASSIFICATION:
        absent = set(table[spec.target].dropna().unique()) - set(reference.dropna().unique())
        if absent:
            shown = ", ".join(sorted(str(each) for each in absent)[:_MAX_SHOWN_CLASSES])
            yield f"the reference does not hold the classes {shown}: a longer reference may"
