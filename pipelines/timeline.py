"""Pipeline `timeline`: the windows that a history is cut into, for whoever replays it."""

from kedro.pipeline import Node, Pipeline, pipeline
from pydantic import JsonValue

from contracts.model import ModelSpec
from detection.windowing import usual_step, whole_windows
from pipelines.requests import Request, request_node
from pipelines.rows import Table, first_window_start, row_times


def cut_windows(history: Table, spec: ModelSpec, _request: Request) -> dict[str, JsonValue]:
    """Every window from the first row to the last, empty ones included, oldest first."""
    start = first_window_start(history, spec)
    times = row_times(history, spec)
    places = ((times - start) // spec.window).dropna().astype("int64")
    reached: float = (times.max().to_pydatetime() - start) / spec.window
    whole = whole_windows(reached, step=usual_step(times) / spec.window)
    counts = places.value_counts()
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


def create_pipeline() -> Pipeline:
    """The history, cut."""
    return pipeline(
        [
            request_node("timeline"),
            Node(cut_windows, ["history", "model_spec", "request"], "report"),
        ]
    )
