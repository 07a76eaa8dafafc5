"""Reads NannyML's results of univariate drift and of performance, as files.

CSV, Parquet, or JSON records of `result.to_df(multilevel=False)`: `to_csv`, `to_parquet`,
`to_json(orient="records")`, and what `nml run` and `RawFilesWriter` write. The newest chunk of the
analysis period is the window, unless it is a mere remainder of rows; the chunks of the reference
period, if the file has them, are the reference.
"""

import statistics
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa

from trimtab.adapters.reports.nannyml_performance import (
    ChunkRow,
    count_rows,
    list_metrics,
    parse_number,
    read_performances,
)
from trimtab.adapters.reports.report import (
    ForeignReport,
    MalformedReportError,
    parse_feature,
    parse_instant,
    parse_report_json,
    sort_drifted_first,
)
from trimtab.contracts.drift import FeatureDrift, FeatureKind, Window
from trimtab.detection.tables.duckdb_table import UnreadableError
from trimtab.detection.tables.table_frame import load_frame

METHODS: Final = (
    "jensen_shannon", "kolmogorov_smirnov", "wasserstein", "hellinger", "chi2", "l_infinity",
)  # fmt: skip
_CATEGORICAL_METHODS: Final = {"chi2", "l_infinity"}
_NUMERIC_METHODS: Final = {"kolmogorov_smirnov", "wasserstein"}
_MIN_CHUNK_SHARE: Final = 0.5
"""Share of the usual rows below which a last chunk is a remainder."""
_MAX_REASON_LENGTH: Final = 400
_EXPECTED: Final = (
    "expected the table of `result.to_df(multilevel=False)` of a UnivariateDriftCalculator,"
    " PerformanceCalculator, CBPE or DLE, with chunk_index and columns such as"
    " NAME_jensen_shannon_alert or roc_auc_alert"
)
_OTHER_CALCULATORS: Final = {
    "reconstruction_error_alert": "a DataReconstructionDriftCalculator",
    "domain_classifier_auroc_alert": "a DomainClassifierCalculator",
}
"""Results on all columns at once. An event has no field for the first, and for the second NannyML
does not give the interval that an event needs."""


class _Score(NamedTuple):
    """Result of one method for one column."""

    method: str
    value: float | None
    threshold: float | None
    """Upper limit of the value."""
    alert: bool

    def format(self) -> str:
        """Return the score in words."""
        value = "unknown" if self.value is None else f"{self.value:.4g}"
        limit = "" if self.threshold is None else f" of at most {self.threshold:.4g}"
        return f"{self.method} {value}{limit}{' (alert)' if self.alert else ''}"


def read_nannyml(path: Path) -> ForeignReport:
    """Return what the newest chunk shows.

    Raises:
        MalformedReportError: The file is no such result.
    """
    rows = _read_rows(path)
    _check_calculator(rows)
    before = [row for row in rows if row.get("chunk_period") == "reference"]
    newest = _find_newest([row for row in rows if row.get("chunk_period") != "reference"])
    return ForeignReport(
        detector="nannyml",
        features=sort_drifted_first([_build_feature(name, newest) for name in _list_names(newest)]),
        performances=read_performances(newest, before, rows=count_rows(newest)),
        current=_build_window([newest]),
        reference=_build_window(before),
        rows=count_rows(newest),
        made_at=None,
    )


def _check_calculator(rows: list[ChunkRow]) -> None:
    first = rows[0] if rows else {}
    for column, calculator in _OTHER_CALCULATORS.items():
        if column in first:
            msg = (
                f"it is the result of {calculator}, for all columns at once, which no event can"
                " carry: import that of a UnivariateDriftCalculator"
            )
            raise MalformedReportError(msg)
    if "chunk_index" not in first or not (_list_names(first) or list_metrics(first)):
        found = ", ".join(map(str, list(first)[:6])) or "no rows"
        msg = f"it has {found}: {_EXPECTED}"
        raise MalformedReportError(msg)


def _find_newest(analysis: list[ChunkRow]) -> ChunkRow:
    """Return the last chunk that is no mere remainder."""
    if not analysis:
        msg = "all its chunks are of the reference period: calculate the analysis period too"
        raise MalformedReportError(msg)
    usual = statistics.median(count_rows(row) for row in analysis)
    whole = [row for row in analysis if count_rows(row) >= _MIN_CHUNK_SHARE * usual]
    return max(whole, key=lambda row: float(row["chunk_index"]))


def _read_rows(path: Path) -> list[ChunkRow]:
    try:
        if path.suffix == ".json":
            content = parse_report_json(path.read_bytes())
            if isinstance(content, list) and all(isinstance(row, dict) for row in content):
                return content
            msg = f"its JSON is no list of records: {_EXPECTED}"
            raise MalformedReportError(msg)
        table = pa.Table.from_pandas(load_frame(path), preserve_index=False)
    except (pa.ArrowException, OSError, UnreadableError) as error:
        msg = f"it cannot be read: {error}"
        raise MalformedReportError(msg) from error
    rows: list[ChunkRow] = table.to_pylist()
    return rows


def _list_names(row: ChunkRow) -> list[str]:
    """Return the columns that the report is about, in its order."""
    found = [
        name.removesuffix(f"_{method}_alert")
        for name in row
        for method in METHODS
        if str(name).endswith(f"_{method}_alert")
    ]
    return list(dict.fromkeys(found))


def _build_feature(name: str, row: ChunkRow) -> FeatureDrift:
    scores = list(_read_scores(name, row))
    reason = f"NannyML: {', '.join(score.format() for score in scores)}"
    fields: dict[str, Any] = {
        "name": name,
        "kind": _infer_kind({score.method for score in scores}),
        "drifted": any(score.alert for score in scores),
        "why": reason[:_MAX_REASON_LENGTH],
    }
    for score in scores:
        if score.method == "jensen_shannon":
            fields["jensen_shannon"] = score.value or 0.0
        elif score.method in {"kolmogorov_smirnov", "chi2"}:
            fields["test"] = "ks" if score.method == "kolmogorov_smirnov" else "chi2"
            fields["statistic"] = score.value
    return parse_feature(fields)


def _infer_kind(methods: set[str]) -> FeatureKind:
    """Return the kind by methods that fit one kind only; a distance that fits both counts not."""
    if methods & _CATEGORICAL_METHODS and not methods & _NUMERIC_METHODS:
        return FeatureKind.CATEGORICAL
    return FeatureKind.NUMERIC


def _read_scores(name: str, row: ChunkRow) -> Iterator[_Score]:
    for method in METHODS:
        prefix = f"{name}_{method}"
        alert = row.get(f"{prefix}_alert")
        if alert is None:
            continue
        if not isinstance(alert, bool):
            msg = f"column {name!r}: {prefix}_alert = {alert!r}: neither true nor false"
            raise MalformedReportError(msg)
        value = parse_number(row.get(f"{prefix}_value"))
        threshold = parse_number(row.get(f"{prefix}_upper_threshold"))
        yield _Score(method, value, threshold, alert)


def _build_window(rows: list[ChunkRow]) -> Window | None:
    starts = [parse_instant(row.get("chunk_start_date")) for row in rows]
    ends = [parse_instant(row.get("chunk_end_date")) for row in rows]
    known = [each for each in (*starts, *ends) if each]
    if not rows or len(known) < 2 * len(rows):
        return None
    end = _round_up(max(known))
    return Window(start=min(known), end=end, rows=sum(map(count_rows, rows)))


def _round_up(last: datetime) -> datetime:
    """Return the first instant outside: NannyML gives the last one inside, a nanosecond before."""
    return last.replace(microsecond=0) + timedelta(seconds=1) if last.microsecond else last
