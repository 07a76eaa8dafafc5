"""Parses a column of timestamps in whatever form a table keeps them, to UTC.

Timestamps without a zone are UTC. A column is parsed by its own values alone, so that the result
for the same column is always the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import pandas as pd

from trimtab.detection.profiles.arrays import AnyArray

_MIN_PARSED_SHARE: Final = 0.99
"""Share of the values that a format must parse to be chosen without trying others."""
_SAMPLE_ROWS: Final = 2000
_ISO: Final = "ISO8601"
_DATE_FORMATS: Final = (
    "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%d %b %Y", "%d-%b-%Y", "%b %d, %Y",
)  # fmt: skip
_CLOCK_FORMATS: Final = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", " %I:%M %p", " %I:%M:%S %p")
_CALENDAR_FORMATS: Final = {
    4: ("%Y", "years"),
    6: ("%Y%m", "yyyymm"),
    8: ("%Y%m%d", "yyyymmdd"),
    14: ("%Y%m%d%H%M%S", "yyyymmddhhmmss"),
}
"""Format of whole numbers by their digits, used where they make dates in the plausible range."""
_PLAUSIBLE_RANGE: Final = (
    pd.Timestamp("1500-01-01", tz="UTC"),
    pd.Timestamp("2500-01-01", tz="UTC"),
)
_EPOCH_UNITS: Final[tuple[tuple[str, Literal["ns", "us", "ms", "s"], float], ...]] = (
    ("epoch nanoseconds", "ns", 1e17), ("epoch microseconds", "us", 1e14),
    ("epoch milliseconds", "ms", 1e11), ("epoch seconds", "s", 1e8),
)  # fmt: skip
"""Each unit with the least number (of March 1973) that counts as such; up to 1,000 times that."""


@dataclass(frozen=True)
class ParsedTimestamps:
    """A column of timestamps, parsed."""

    times: pd.Series
    """datetime64[us, UTC], with the column's index; NaT where a value is missing or unreadable."""
    source_format: str
    """How they were written, such as "ISO 8601 text" or "epoch seconds"."""
    text_format: str = ""
    """The format of `strptime` that parses the text; empty for other columns and for ISO 8601."""


def parse_timestamps(column: pd.Series) -> ParsedTimestamps:
    """Return the column as timestamps in UTC; unreadable values become NaT."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return _convert_timestamps(column, f"times in {column.dtype.tz}")
    if pd.api.types.is_datetime64_dtype(column.dtype):
        return _convert_timestamps(column, "times without a zone, taken as UTC")
    if pd.api.types.is_bool_dtype(column.dtype) or pd.api.types.is_timedelta64_dtype(column.dtype):
        return _reject(column)
    if pd.api.types.is_numeric_dtype(column.dtype):
        return _parse_numbers(column)
    return _parse_texts(column)


def choose_text_format(texts: AnyArray) -> str:
    """Return the `strptime` format that parses the texts; empty for ISO 8601 and for no times."""
    return parse_timestamps(pd.Series(texts, dtype="str")).text_format


def _convert_timestamps(values: pd.Series, source_format: str) -> ParsedTimestamps:
    aware = pd.to_datetime(values, utc=True, errors="coerce")
    return ParsedTimestamps(times=aware.dt.as_unit("us"), source_format=source_format)


def _reject(column: pd.Series) -> ParsedTimestamps:
    return _convert_timestamps(pd.Series(pd.NaT, index=column.index), "unreadable")


def _parse_numbers(column: pd.Series) -> ParsedTimestamps:
    numbers = column.astype("float64").replace([np.inf, -np.inf], np.nan)
    typical = numbers.abs().median()
    if pd.isna(typical):
        return _reject(column)
    calendar, shown = _CALENDAR_FORMATS.get(len(str(int(typical))), ("", ""))
    if calendar:
        sample = column.dropna().head(_SAMPLE_ROWS)
        if _compute_parsed_share(_parse_calendar_numbers(sample, calendar)) >= _MIN_PARSED_SHARE:
            times = _parse_calendar_numbers(column, calendar)
            return ParsedTimestamps(times=times, source_format=f"numbers, taken as {shown}")
    for source_format, unit, least in _EPOCH_UNITS:
        if least <= typical < least * 1000:
            times = pd.to_datetime(column, unit=unit, errors="coerce", utc=True)
            return _convert_timestamps(times, source_format)
    return _reject(column)


def _parse_calendar_numbers(column: pd.Series, calendar: str) -> pd.Series:
    numbers = column.astype("float64")
    whole = numbers.where(np.isfinite(numbers) & (numbers % 1 == 0)).astype("Int64")
    parsed = _parse_format(whole.astype("str").where(whole.notna()), calendar)
    return parsed.where(parsed.between(*_PLAUSIBLE_RANGE))


def _parse_texts(column: pd.Series) -> ParsedTimestamps:
    texts = column.astype("str").where(column.notna()).str.strip()
    sample = texts.dropna().head(_SAMPLE_ROWS)
    if sample.empty:
        return _reject(column)
    numbers = pd.to_numeric(sample, errors="coerce")
    if numbers.notna().mean() >= _MIN_PARSED_SHARE:
        return _parse_numbers(pd.to_numeric(texts, errors="coerce"))
    if _compute_parsed_share(_parse_format(sample, _ISO)) >= _MIN_PARSED_SHARE:
        return ParsedTimestamps(times=_parse_format(texts, _ISO), source_format="ISO 8601 text")
    fitting = [
        form
        for form in _list_formats()
        if _compute_parsed_share(_parse_format(sample, form)) >= _MIN_PARSED_SHARE
    ]
    parsed = {form: _parse_format(texts, form) for form in fitting or [_ISO]}
    best = min(parsed, key=lambda form: _measure_disorder(parsed[form]))
    if not fitting:
        return ParsedTimestamps(times=parsed[best], source_format="ISO 8601 text")
    return ParsedTimestamps(parsed[best], source_format=f"text as {best}", text_format=best)


def _list_formats() -> Iterator[str]:
    return (date + clock for date in _DATE_FORMATS for clock in _CLOCK_FORMATS)


def _parse_format(texts: pd.Series, form: str) -> pd.Series:
    parsed = pd.to_datetime(texts, format=form, errors="coerce", utc=True)
    return parsed.dt.as_unit("us")


def _compute_parsed_share(parsed: pd.Series) -> float:
    return float(parsed.notna().mean()) if len(parsed) else 0.0


def _measure_disorder(parsed: pd.Series) -> tuple[float, float, float]:
    """Return the shares missing and out of order, and how uneven the steps are.

    The right one of day first and month first has the least.
    """
    seconds = parsed.dropna().astype("int64").to_numpy() / 1e6
    steps = np.diff(np.unique(seconds))
    backward = float((np.diff(seconds) < 0).mean()) if len(steps) else 0.0
    unevenness = float(np.std(steps) / np.mean(steps)) if len(steps) else 0.0
    return float(parsed.isna().mean()), backward, unevenness
