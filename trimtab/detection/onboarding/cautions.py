"""Says what a person should look at before believing a first configuration."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

import pandas as pd

from trimtab.contracts.model import ModelSpec, Task
from trimtab.contracts.signature import ModelSignature
from trimtab.detection.onboarding.monitoring_settings import thin_reference
from trimtab.detection.onboarding.window_choice import Windows
from trimtab.detection.profiles.casting import cast_to_numbers

MOST_ROWS: Final = 1_000_000
"""What Trimtab is made for; more works where memory allows."""
_FEWEST_TO_REPLAY = 6
_FEWEST_TO_LEARN = 200


def cautions(
    table: pd.DataFrame, spec: ModelSpec, *, windows: Windows, times: pd.Series
) -> Iterator[str]:
    """What is odd about the table, or thin about what is learnt from it."""
    undated, unlabelled = int(times.isna().sum()), int(table[spec.target].isna().sum())
    if len(table) > MOST_ROWS:
        yield f"{len(table):,} rows: more than the {MOST_ROWS:,} that Trimtab is tried with"
    if undated:
        yield f"{undated:,} rows have no readable time: they are in no window"
    if windows.stray_before:
        yield f"{windows.stray_before:,} rows lie long before all others, in no window"
    if windows.stray_after:
        late = times.max()
        yield (
            f"{windows.stray_after:,} rows lie long after all others, up to {late:%Y-%m-%d}: take"
            " them out, or the replay goes on until then"
        )
    if unlabelled:
        yield f"{unlabelled:,} rows have no target: they count as not yet labelled"
    if spec.target_minimum is not None:
        below = int((cast_to_numbers(table[spec.target]) < spec.target_minimum).sum())
        if below:
            yield f"{below:,} rows have a target below {spec.target_minimum:g}: they are dirty"
    yield from _thin(table, spec, windows=windows, times=times)


def _thin(
    table: pd.DataFrame, spec: ModelSpec, *, windows: Windows, times: pd.Series
) -> Iterator[str]:
    replayed = len(windows.counts) - windows.reference
    if replayed < _FEWEST_TO_REPLAY:
        yield f"only {replayed} windows follow the reference: the span allows no more"
    if thin := thin_reference(windows.window, windows.reference * windows.window):
        yield thin
    begin = windows.start or times.min().normalize()
    reference = table.loc[times < begin + windows.reference * windows.window, spec.target]
    if len(reference) < _FEWEST_TO_LEARN:
        yield f"the reference holds only {len(reference)} rows: a first champion learns little"
    if spec.task is Task.CLASSIFICATION:
        absent = set(table[spec.target].dropna().unique()) - set(reference.dropna().unique())
        if absent:
            shown = ", ".join(sorted(str(each) for each in absent)[:3])
            yield f"classes that the reference does not hold: {shown}: a longer reference may"


def foreign_cautions(
    interface: ModelSignature, spec: ModelSpec, *, since: datetime | None
) -> Iterator[str]:
    """What is not known of a version that was made elsewhere."""
    if interface.own:
        return
    version = f"version {interface.version}"
    if since is None:
        yield (
            f"{version} may have learnt from the reference, and its metric there be too good:"
            " the end of its training data belongs into --since"
        )
    if not interface.safe and not spec.prediction:
        yield (
            f"{version} is not asked, as loading it may run its own code: name a prediction"
            f" column, or write trust_pickle: true (it is kept as {interface.kept_as})"
        )
