"""Pipeline `timeline`: the windows that a history is cut into, for a replay."""

from collections.abc import Mapping
from datetime import datetime

import pandas as pd
from kedro.pipeline import Node, Pipeline, pipeline
from pydantic import JsonValue

from trimtab.contracts.model import ModelSpec
from trimtab.detection.onboarding.window_choice import compute_median_step, count_whole_windows
from trimtab.pipelines.history.remote import HistoryTable, count_window_rows, is_remote
from trimtab.pipelines.history.rows import find_first_window_start, read_row_times
from trimtab.pipelines.requests import Request, build_request_node


def cut_windows(history: HistoryTable, spec: ModelSpec, _request: Request) -> dict[str, JsonValue]:
    """Return every window from the first row to the last, oldest first, empty ones included."""
    start = find_first_window_start(history, spec)
    counts, times = _count_rows(history, spec, start)
    reached = (times.max() - pd.Timestamp(start)) / pd.Timedelta(spec.window)
    whole = count_whole_windows(reached, step=compute_median_step(times) / spec.window)
    return {
        "windows": [
            {
                "start": (start + index * spec.window).isoformat(),
                "end": (start + (index + 1) * spec.window).isoformat(),
                "rows": int(counts.get(index, 0)),
            }
            for index in range(whole)
        ]
    }


def _count_rows(
    history: HistoryTable, spec: ModelSpec, start: datetime
) -> tuple[Mapping[int, int], "pd.Series[pd.Timestamp]"]:
    """Return the rows of each window by its index, and the times of rows up to the last."""
    if is_remote(history):
        return count_window_rows(history, spec, start)
    times = read_row_times(history, spec)
    windows = ((times - start) // spec.window).dropna().astype("int64")
    return dict(windows.value_counts().items()), times  # type: ignore[arg-type] # whole numbers


def create_pipeline() -> Pipeline:
    """Return the pipeline that cuts a history into windows."""
    return pipeline(
        [
            build_request_node("timeline"),
            Node(
                cut_windows,
                ["history", "model_spec", "request"],
                "report",
                name="cut_windows",
            ),
        ]
    )
