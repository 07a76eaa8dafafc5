"""Profiles windows that are pandas tables already, as the pipelines hold them in memory."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from pydantic import AwareDatetime

from trimtab.contracts.drift import FeatureKind, Window
from trimtab.detection.profiles.casting import cast_to_categories, cast_to_numbers
from trimtab.detection.profiles.columns import Column
from trimtab.detection.profiles.group_counts import profile_categories, profile_numbers
from trimtab.detection.profiles.window_profile import ColumnProfile, WindowProfile


def profile_column(
    values: "pd.Series[Any]", column: Column, *, like: ColumnProfile | None = None
) -> ColumnProfile:
    """Profile one column, over the bins of `like` or over bins of its own."""
    if column.kind is FeatureKind.CATEGORICAL:
        tally = cast_to_categories(values).value_counts()
        names = {str(name): int(count) for name, count in tally.items()}
        return profile_categories(names, column, rows=len(values), like=like)
    numbers = cast_to_numbers(values)
    known = np.asarray(numbers.dropna(), dtype="float64")
    unreadable = int((numbers.isna() & values.notna()).sum())
    return profile_numbers(known, column, rows=len(values), unreadable=unreadable, like=like)


def profile_window(
    frame: pd.DataFrame,
    columns: Sequence[tuple[Column, "pd.Series[Any]"]],
    *,
    model: str,
    window: Window,
    newest: AwareDatetime | None,
    like: WindowProfile | None = None,
) -> WindowProfile:
    """Profile a window: `frame` holds the table's own rows, `columns` what is monitored in them."""
    profiles = [
        profile_column(values, column, like=like.find(column.name) if like else None)
        for column, values in columns
    ]
    return WindowProfile(
        model=model,
        window=window,
        columns=tuple(profiles),
        filled=tuple(str(name) for name in frame.columns[frame.notna().any()]),
        duplicates=_count_duplicates(frame),
        newest=newest,
    )


def _count_duplicates(frame: pd.DataFrame) -> int:
    try:
        return int(frame.duplicated().sum())
    except TypeError:  # lists and the like, as Parquet can hold them
        return int(frame.astype("str").duplicated().sum())
