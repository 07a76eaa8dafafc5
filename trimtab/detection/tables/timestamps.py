"""Reads a column of times in whatever form a table keeps them, as instants in UTC.

Naive times count as UTC. The same column is always read the same way: nothing is remembered.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd

_GOOD = 0.99
"""Share of the values that a way of reading must fit to be taken without looking further."""
_SAMPLE = 2000
_ISO: Final = "ISO8601"
_DATES: Final = (
    "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y",
)  # fmt: skip
_CLOCKS: Final = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")
_CALENDARS: Final = {
    4: ("%Y", "years"),
    6: ("%Y%m", "yyyymm"),
    8: ("%Y%m%d", "yyyymmdd"),
    14: ("%Y%m%d%H%M%S", "yyyymmddhhmmss"),
}
"""How whole numbers of so many digits are read, where they make dates of these centuries."""
_CENTURIES: Final = (pd.Timestamp("1500-01-01", tz="UTC"), pd.Timestamp("2500-01-01", tz="UTC"))
_EPOCHS: Final[tuple[tuple[str, Literal["ns", "us", "ms", "s"], float], ...]] = (
    ("epoch nanoseconds", "ns", 1e17), ("epoch microseconds", "us", 1e14),
    ("epoch milliseconds", "ms", 1e11), ("epoch seconds", "s", 1e8),
)  # fmt: skip
"""Each unit with the figure (March 1973) from which on it is believed, for some 2,900 years."""


@dataclass(frozen=True)
class Instants:
    """A column of times, read."""

    times: pd.Series
    """datetime64[us, UTC], with the column's index; NaT where there is none or it is unreadable."""
    reading: str
    """How they were read, such as "ISO 8601 text" or "epoch seconds"."""


def read_instants(column: pd.Series) -> Instants:
    """The column as instants; what cannot be read becomes NaT."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return _instants(column, f"times in {column.dtype.tz}")
    if pd.api.types.is_datetime64_dtype(column.dtype):
        return _instants(column, "times without a zone, taken as UTC")
    if pd.api.types.is_bool_dtype(column.dtype) or pd.api.types.is_timedelta64_dtype(column.dtype):
        return _unreadable(column)
    if pd.api.types.is_numeric_dtype(column.dtype):
        return _read_numbers(column)
    return _read_words(column)


def _instants(values: pd.Series, reading: str) -> Instants:
    aware = pd.to_datetime(values, utc=True, errors="coerce")
    return Instants(times=aware.dt.as_unit("us"), reading=reading)


def _unreadable(column: pd.Series) -> Instants:
    return _instants(pd.Series(pd.NaT, index=column.index), "unreadable")


def _read_numbers(column: pd.Series) -> Instants:
    numbers = column.astype("float64").replace([np.inf, -np.inf], np.nan)
    typical = numbers.abs().median()
    if pd.isna(typical):
        return _unreadable(column)
    calendar, form = _CALENDARS.get(len(str(int(typical))), ("", ""))
    if calendar and _share(_parse_whole(column.dropna().head(_SAMPLE), calendar)) >= _GOOD:
        return Instants(times=_parse_whole(column, calendar), reading=f"numbers, taken as {form}")
    for reading, unit, since in _EPOCHS:
        if since <= typical < since * 1000:
            return _instants(pd.to_datetime(column, unit=unit, errors="coerce", utc=True), reading)
    return _unreadable(column)


def _parse_whole(column: pd.Series, calendar: str) -> pd.Series:
    numbers = column.astype("float64")
    whole = numbers.where(np.isfinite(numbers) & (numbers % 1 == 0)).astype("Int64")
    parsed = _parse(whole.astype("str").where(whole.notna()), calendar)
    return parsed.where(parsed.between(*_CENTURIES))


def _read_words(column: pd.Series) -> Instants:
    words = column.astype("str").where(column.notna()).str.strip()
    some = words.dropna().head(_SAMPLE)
    if some.empty:
        return _unreadable(column)
    numbers = pd.to_numeric(some, errors="coerce")
    if numbers.notna().mean() >= _GOOD:
        return _read_numbers(pd.to_numeric(words, errors="coerce"))
    if _share(_parse(some, _ISO)) >= _GOOD:
        return Instants(times=_parse(words, _ISO), reading="ISO 8601 text")
    fitting = [form for form in _forms() if _share(_parse(some, form)) >= _GOOD]
    read = {form: _parse(words, form) for form in fitting or [_ISO]}
    best = min(read, key=lambda form: _untidiness(read[form]))
    reading = f"text as {best}" if fitting else "ISO 8601 text"
    return Instants(times=read[best], reading=reading)


def _forms() -> Iterator[str]:
    return (date + clock for date in _DATES for clock in _CLOCKS)


def _parse(words: pd.Series, form: str) -> pd.Series:
    parsed = pd.to_datetime(words, format=form, errors="coerce", utc=True)
    return parsed.dt.as_unit("us")


def _share(parsed: pd.Series) -> float:
    return float(parsed.notna().mean()) if len(parsed) else 0.0


def _untidiness(parsed: pd.Series) -> tuple[float, float, float]:
    """Tells day first from month first: what is missing, out of order, of uneven pace."""
    seconds = parsed.dropna().astype("int64").to_numpy() / 1e6
    steps = np.diff(np.unique(seconds))
    backward = float((np.diff(seconds) < 0).mean()) if len(steps) else 0.0
    pace = float(np.std(steps) / np.mean(steps)) if len(steps) else 0.0
    return float(parsed.isna().mean()), backward, pace
