"""Pipeline `timeline`: the windows that a history is cut into, for whoever replays it."""

from collections.abc import Mapping
from datetime import datetime

import pandas as pd
from kedro.pipeline import Node, Pipeline, pipeline
from pydantic import JsonValue

from trimtab.contracts.model import ModelSpec
from trimtab.detection.onboarding.window_choice import compute_median_step, count_whole_windows
from trimtab.pipelines.history.remote import History, count_windows, is_remote
from trimtab.pipelines.history.rows import Values, first_window_start, row_times
from trimtab.pipelines.requests import Request, request_node


def cut_windows(history: History, spec: ModelSpec, _request: Request) -> dict[str, JsonValue]:
    """Every window from the first row to the last, empty ones included, oldest first."""
    start = first_window_start(history, spec)
    counts, times = _count(history, spec, start)
    reached: float = (times.max().to_pydatetime() - start) / spec.window
    whole = count_whole_windows(reached, step=compute_median_step(times) / spec.window)
    return {
        "windows": [
            {
                "start": (start + place * spec.window).isoformat(),
                "end": (start + (place + 1) * spec.window).isoformat(),
                "rows": int(counts.get(place, 0)),
            }
            for place in range(whole)
        ]
    }


def _count(
    history: History, spec: ModelSpec, start: datetime
) -> tuple[Mapping[int, int], "Values[pd.Timestamp]"]:
    """Rows of each window, and the times of rows up to the last."""
    if is_remote(history):
        return count_windows(history, spec, start)
    times = row_times(history, spec)
    places = ((times - start) // spec.window).dropna().astype("int64")
    return dict(places.value_counts().items()), times  # type: ignore[arg-type] # whole numbers


def create_pipeline() -> Pipeline:
    """The history, cut."""
    return pipeline(
        [
            request_node("timeline"),
            Node(cut_windows, ["history", "model_spec", "request"], "report"),
        ]
    )
