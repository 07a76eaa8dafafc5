"""Reads NannyML's results of univariate drift and of performance, as files.

CSV, Parquet, or JSON records of `result.to_df(multilevel=False)`: `to_csv`, `to_parquet`,
`to_json(orient="records")`, and what `nml run` and `RawFilesWriter` write. The newest chunk of the
analysis period is the window, unless it is a mere remainder of rows; the chunks of the reference
period, where the file has them, are the reference.
"""

import io
import math
import re
import statistics
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from pyarrow import csv, parquet

from trimtab.adapters.reports.nannyml_performance import count_rows, list_metrics, read_performances
from trimtab.adapters.reports.report import (
    ForeignReport,
    MalformedReportError,
    parse_feature,
    read_json,
    sort_drifted_first,
)
from trimtab.contracts.drift import FeatureDrift, FeatureKind, Window

METHODS: Final = (
    "jensen_shannon", "kolmogorov_smirnov", "wasserstein", "hellinger", "chi2", "l_infinity",
)  # fmt: skip
_CATEGORICAL: Final = {"chi2", "l_infinity"}
_NUMERIC: Final = {"kolmogorov_smirnov", "wasserstein"}
_REMAINDER: Final = 0.5
"""Share of the usual rows below which a last chunk is what was left over."""
_EXPECTED: Final = (
    "expected the table of `result.to_df(multilevel=False)` of a UnivariateDriftCalculator,"
    " PerformanceCalculator, CBPE or DLE, with chunk_index and columns such as"
    " NAME_jensen_shannon_alert or roc_auc_alert"
)
_OTHERS: Final = {
    "reconstruction_error_alert": "a DataReconstructionDriftCalculator",
    "domain_classifier_auroc_alert": "a DomainClassifierCalculator",
}
"""Results on all columns at once: an event has no field for the one, and of the other NannyML does
not tell the interval that an event's has."""

Row = Mapping[str, Any]
Found = tuple[str, float | None, float | None, bool]
"""Method, value, the threshold that it must not pass, alert."""


def read_nannyml(path: Path) -> ForeignReport:
    """What the newest chunk shows; raises `MalformedReportError`."""
    rows = _rows(path)
    _check(rows)
    before = [row for row in rows if row.get("chunk_period") == "reference"]
    newest = _newest([row for row in rows if row.get("chunk_period") != "reference"])
    return ForeignReport(
        detector="nannyml",
        features=sort_drifted_first([_feature(name, newest) for name in _names(newest)]),
        performances=read_performances(newest, before, rows=count_rows(newest)),
        current=_window([newest]),
        reference=_window(before),
        rows=count_rows(newest),
        made_at=None,
    )


def _check(rows: list[Row]) -> None:
    first = rows[0] if rows else {}
    for column, calculator in _OTHERS.items():
        if column in first:
            msg = (
                f"it is the result of {calculator}, for all columns at once, which no event can"
                " carry: import that of a UnivariateDriftCalculator"
            )
            raise MalformedReportError(msg)
    if "chunk_index" not in first or not (_names(first) or list_metrics(first)):
        there = ", ".join(map(str, list(first)[:6])) or "no rows"
        msg = f"it has {there}: {_EXPECTED}"
        raise MalformedReportError(msg)


def _newest(analysis: list[Row]) -> Row:
    """The last chunk that is as long as chunks are."""
    if not analysis:
        msg = "all its chunks are of the reference period: calculate the analysis period too"
        raise MalformedReportError(msg)
    usual = statistics.median(count_rows(row) for row in analysis)
    whole = [row for row in analysis if count_rows(row) >= _REMAINDER * usual]
    return max(whole, key=lambda row: float(row["chunk_index"]))


def _rows(path: Path) -> list[Row]:
    try:
        if path.suffix == ".json":
            content = read_json(path.read_bytes())
            if isinstance(content, list) and all(isinstance(row, dict) for row in content):
                return content
            msg = f"its JSON is no list of records: {_EXPECTED}"
            raise MalformedReportError(msg)
        raw = io.BytesIO(path.read_bytes())
        table = parquet.read_table(raw) if path.suffix == ".parquet" else csv.read_csv(raw)
    except (pa.ArrowException, OSError) as error:
        msg = f"it cannot be read: {error}"
        raise MalformedReportError(msg) from error
    rows: list[Row] = table.to_pylist()
    return rows


def _names(row: Row) -> list[str]:
    """The columns that the report is about, in its order."""
    found = [
        name.removesuffix(f"_{method}_alert")
        for name in row
        for method in METHODS
        if str(name).endswith(f"_{method}_alert")
    ]
    return list(dict.fromkeys(found))


def _feature(name: str, row: Row) -> FeatureDrift:
    found = list(_found(name, row))
    fields: dict[str, Any] = {
        "name": name,
        "kind": _kind({method for method, *_ in found}),
        "drifted": any(alert for *_, alert in found),
        "why": f"NannyML: {', '.join(_told(*each) for each in found)}"[:400],
    }
    for method, value, _, _ in found:
        if method == "jensen_shannon":
            fields["jensen_shannon"] = value or 0.0
        elif method in {"kolmogorov_smirnov", "chi2"}:
            fields["test"] = "ks" if method == "kolmogorov_smirnov" else "chi2"
            fields["statistic"] = value
    return parse_feature(fields)


def _kind(methods: set[str]) -> FeatureKind:
    """By the methods that fit one kind only; a distance that fits both says nothing."""
    if methods & _CATEGORICAL and not methods & _NUMERIC:
        return FeatureKind.CATEGORICAL
    return FeatureKind.NUMERIC


def _found(name: str, row: Row) -> Iterator[Found]:
    for method in METHODS:
        alert = row.get(f"{name}_{method}_alert")
        if alert is None:
            continue
        part = f"{name}_{method}"
        value, above = (
            _number(row.get(f"{part}_value")),
            _number(row.get(f"{part}_upper_threshold")),
        )
        if not isinstance(alert, bool):
            msg = f"column {name!r}: {part}_alert = {alert!r}: neither true nor false"
            raise MalformedReportError(msg)
        yield method, value, above, alert


def _told(method: str, value: float | None, above: float | None, alert: bool) -> str:  # noqa: FBT001 - a part of one record
    figure = "unknown" if value is None else f"{value:.4g}"
    against = "" if above is None else f" of at most {above:.4g}"
    return f"{method} {figure}{against}{' (alert)' if alert else ''}"


def _window(rows: list[Row]) -> Window | None:
    starts = [_instant(row.get("chunk_start_date")) for row in rows]
    ends = [_instant(row.get("chunk_end_date")) for row in rows]
    known = [each for each in (*starts, *ends) if each]
    if not rows or len(known) < 2 * len(rows):
        return None
    last = max(known)
    return Window(start=min(known), end=_after(last), rows=sum(map(count_rows, rows)))


def _after(last: datetime) -> datetime:
    """The first instant outside: NannyML names the last one inside, a nanosecond before."""
    return last.replace(microsecond=0) + timedelta(seconds=1) if last.microsecond else last


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None


def _instant(value: object) -> datetime | None:
    """Nanoseconds are cut; times without a zone are read as UTC."""
    try:
        found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", str(value)))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
