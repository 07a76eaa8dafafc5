"""Finds the faults of a table that cannot be monitored as it is, each with its remedy."""

import re
from collections.abc import Iterator
from typing import Final

import pandas as pd

from trimtab.contracts.base import NAME_PATTERN
from trimtab.contracts.suggestions import suggest_name
from trimtab.detection.onboarding.proposal import InspectionRequest
from trimtab.detection.tables.csv_dialect import DELIMITERS

MIN_ROWS_TO_INSPECT: Final = 1_000
_MAX_UNREADABLE_SHARE: Final = 0.01
"""Share of times that may be unreadable; such rows are in no window."""
_MAX_SHOWN_VALUES: Final = 3


def find_naming_faults(names: list[str], request: InspectionRequest) -> Iterator[str]:
    """Yield the faults of the columns' names, and of the names in the request."""
    if len(names) == 1 and {*DELIMITERS[1:]} & {*names[0]}:
        yield f"there is only one column, {names[0]!r:.80}: separate columns by commas"
        return
    for role, column in (("target", request.target), ("timestamp", request.timestamp)):
        if column not in names:
            near = suggest_name(column, names)
            hint = f" did you mean {near!r}?" if near else ""
            yield f"{role} {column!r}: no such column:{hint} name one of {', '.join(names)}"
        elif not re.fullmatch(NAME_PATTERN, column):
            allowed = "letters, digits, _ . : / - and spaces, at most 128"
            yield f"{role} {column!r}: a name may have only {allowed}: rename the column"
    if request.target == request.timestamp:
        yield f"target and timestamp are both {request.target!r}: name two columns"
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        yield f"these columns appear twice: {', '.join(repeated)}: rename one of each"


def find_time_faults(column: pd.Series, times: pd.Series) -> Iterator[str]:
    """Yield the faults of the timestamp column, whose parsed values are `times`."""
    unreadable = column[times.isna() & column.notna()]
    if len(unreadable) > _MAX_UNREADABLE_SHARE * len(column):
        examples = unreadable.unique()[:_MAX_SHOWN_VALUES]
        shown = ", ".join(repr(str(value)) for value in examples)
        yield (
            f"timestamp {column.name!r}: {len(unreadable):,} of {len(column):,} values cannot be"
            f" read as times, such as {shown}: write ISO 8601 such as 2016-10-04T07:59:42Z"
        )
        return
    dated = int(times.notna().sum())
    if dated < MIN_ROWS_TO_INSPECT:
        yield f"rows = {dated:,} with a time: at least {MIN_ROWS_TO_INSPECT:,} are needed"
