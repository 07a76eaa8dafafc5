"""Reads from the runs of monitored windows which version each window was judged with."""

from datetime import datetime
from typing import Final

from mlflow.tracking import MlflowClient

from trimtab.adapters.registry.tracking import translate_mlflow_errors
from trimtab.contracts.fitted import ServedWindow
from trimtab.contracts.names import build_experiment_name
from trimtab.contracts.tags import CHAMPION_TAG, WINDOW_START_TAG

MAX_WINDOWS_READ: Final = 30
"""Runs that are read at most, the newest ones."""


def list_served_windows(client: MlflowClient, model: str) -> list[ServedWindow]:
    """Return the windows of the newest runs, the newest window first; empty if there is none."""
    with translate_mlflow_errors():
        experiment = client.get_experiment_by_name(build_experiment_name(model, "monitoring"))
        if experiment is None:
            return []
        runs = client.search_runs(
            [experiment.experiment_id],
            max_results=MAX_WINDOWS_READ,
            order_by=["attributes.start_time DESC"],
        )
    windows = [
        ServedWindow(run.data.tags[CHAMPION_TAG], start)
        for run in runs
        if CHAMPION_TAG in run.data.tags
        and (start := _parse_start(run.data.tags.get(WINDOW_START_TAG, ""))) is not None
    ]
    return sorted(windows, key=lambda window: window.start, reverse=True)


def _parse_start(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None
