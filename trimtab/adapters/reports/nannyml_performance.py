"""Reads what NannyML says of a model's performance: realised with labels, estimated without.

Realised: the table of a `PerformanceCalculator`. Estimated: that of `CBPE` (classifiers, from their
confidence) or `DLE` (regressors, from a learnt loss). Errors of regressors have the target's unit,
which no tolerance knows: they are told as what they were before divided by what they are now.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from trimtab.adapters.reports.report import MalformedReportError
from trimtab.contracts.drift import PerformanceChange, PerformanceEstimate

GREATER_IS_BETTER: Final = (
    "roc_auc", "f1", "precision", "recall", "specificity", "accuracy", "average_precision",
)  # fmt: skip
SMALLER_IS_BETTER: Final = ("mae", "mape", "mse", "msle", "rmse", "rmsle")

Row = Mapping[str, Any]
Performance = PerformanceChange | PerformanceEstimate


def list_metrics(row: Row) -> list[str]:
    """The metrics that a chunk's row tells of; none of those of other calculators."""
    told = "chunk_targets_missing_rate" in row
    return [
        metric
        for metric in (*GREATER_IS_BETTER, *SMALLER_IS_BETTER)
        if f"{metric}_alert" in row and (told or f"{metric}_realized" in row)
    ]


def read_performances(newest: Row, before: Sequence[Row], *, rows: int) -> tuple[Performance, ...]:
    """Of each metric; `before` are the chunks of the reference period.

    Raises `MalformedReportError` where it is not known what a metric was before.
    """
    return tuple(
        _performance(metric, value, newest, before=_before(metric, before), rows=rows)
        for metric in list_metrics(newest)
        if (value := _number(newest.get(f"{metric}_value"))) is not None
    )


def _performance(
    metric: str, value: float, newest: Row, *, before: float, rows: int
) -> Performance:
    greater = metric in GREATER_IS_BETTER
    name = metric if greater else f"{metric} before / now"
    reference, current = (before, value) if greater else (1.0, before / value if value else 1.0)
    degraded = newest.get(f"{metric}_alert") is True and current < reference
    spread = _number(newest.get(f"{metric}_sampling_error"))
    error = spread if greater or spread is None or not value else current * spread / value
    told = {
        "metric": name, "reference": reference, "rows": rows, "degraded": degraded, "error": error,
    }  # fmt: skip
    if f"{metric}_realized" not in newest:
        return PerformanceChange.model_validate({"current": current, **told})
    method = "confidence_based" if greater else "direct_loss"
    return PerformanceEstimate.model_validate({"estimated": current, "method": method, **told})


def _before(metric: str, chunks: Sequence[Row]) -> float:
    """The mean of the reference's chunks, each by its rows."""
    found = [(_number(row.get(f"{metric}_value")), count_rows(row)) for row in chunks]
    known = [(value, max(rows, 1)) for value, rows in found if value is not None]
    if not known:
        msg = (
            f"what {metric} was before is not in it: keep the chunks of the reference period,"
            " as `result.to_df(multilevel=False)` has them"
        )
        raise MalformedReportError(msg)
    return sum(value * rows for value, rows in known) / sum(rows for _, rows in known)


def count_rows(chunk: Row) -> int:
    """How many rows a chunk has; 0 where it does not tell."""
    start, end = _number(chunk.get("chunk_start_index")), _number(chunk.get("chunk_end_index"))
    return int(end - start) + 1 if start is not None and end is not None else 0


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
