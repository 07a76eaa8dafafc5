"""Reads a model's performance from NannyML's results: realised with labels, estimated without.

Realised: the table of a `PerformanceCalculator`. Estimated: that of `CBPE` (classifiers, from their
confidence) or `DLE` (regressors, from a learnt loss). Errors of regressors have the target's unit,
which no tolerance knows: they become the error before divided by the error now.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from trimtab.adapters.reports.report import MalformedReportError, ReportedPerformance
from trimtab.contracts.drift import PerformanceChange, PerformanceEstimate

GREATER_IS_BETTER: Final = (
    "roc_auc", "f1", "precision", "recall", "specificity", "accuracy", "average_precision",
)  # fmt: skip
SMALLER_IS_BETTER: Final = ("mae", "mape", "mse", "msle", "rmse", "rmsle")

ChunkRow = Mapping[str, Any]
"""One chunk: column of the table to value."""


def list_metrics(row: ChunkRow) -> list[str]:
    """Return the metrics in a chunk's row; those of other calculators are left out."""
    realised = "chunk_targets_missing_rate" in row
    return [
        metric
        for metric in (*GREATER_IS_BETTER, *SMALLER_IS_BETTER)
        if f"{metric}_alert" in row and (realised or f"{metric}_realized" in row)
    ]


def read_performances(
    newest: ChunkRow, before: Sequence[ChunkRow], *, rows: int
) -> tuple[ReportedPerformance, ...]:
    """Return the performance in each metric of the newest chunk.

    Args:
        newest: The chunk.
        before: The chunks of the reference period.
        rows: Rows of the newest chunk.

    Raises:
        MalformedReportError: The reference period lacks a metric.
    """
    return tuple(
        _build_performance(metric, value, newest, before=_average_before(metric, before), rows=rows)
        for metric in list_metrics(newest)
        if (value := parse_number(newest.get(f"{metric}_value"))) is not None
    )


def _build_performance(
    metric: str, value: float, newest: ChunkRow, *, before: float, rows: int
) -> ReportedPerformance:
    greater = metric in GREATER_IS_BETTER
    name = metric if greater else f"{metric} before / now"
    reference, current = (before, value) if greater else (1.0, before / value if value else 1.0)
    degraded = newest.get(f"{metric}_alert") is True and current < reference
    spread = parse_number(newest.get(f"{metric}_sampling_error"))
    error = spread if greater or spread is None or not value else current * spread / value
    fields = {
        "metric": name, "reference": reference, "rows": rows, "degraded": degraded, "error": error,
    }  # fmt: skip
    if f"{metric}_realized" not in newest:
        return PerformanceChange.model_validate({"current": current, **fields})
    method = "confidence_based" if greater else "direct_loss"
    return PerformanceEstimate.model_validate({"estimated": current, "method": method, **fields})


def _average_before(metric: str, chunks: Sequence[ChunkRow]) -> float:
    """Return the mean of the reference's chunks, weighted by their rows."""
    found = [(parse_number(row.get(f"{metric}_value")), count_rows(row)) for row in chunks]
    known = [(value, max(rows, 1)) for value, rows in found if value is not None]
    if not known:
        msg = (
            f"{metric} before is missing: keep the chunks of the reference period,"
            " as `result.to_df(multilevel=False)` has them"
        )
        raise MalformedReportError(msg)
    return sum(value * rows for value, rows in known) / sum(rows for _, rows in known)


def count_rows(chunk: ChunkRow) -> int:
    """Return the number of rows of a chunk; 0 if it does not give them."""
    start = parse_number(chunk.get("chunk_start_index"))
    end = parse_number(chunk.get("chunk_end_index"))
    return int(end - start) + 1 if start is not None and end is not None else 0


def parse_number(value: object) -> float | None:
    """Return a finite number, or None."""
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
