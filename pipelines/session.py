"""Runs a pipeline by name: what the pipeline processes call, and `python -m pipelines`.

Importing this module loads neither Kedro nor MLflow nor scikit-learn.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import JsonValue

from contracts.ports import Refused, Unavailable

DEFAULTS = {
    "DO_NOT_TRACK": "1",
    "KEDRO_LOGGING_CONFIG": str(Path(__file__).with_name("logging.yml")),
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "OMP_WAIT_POLICY": "PASSIVE",
}
"""Variables that a process which runs pipelines needs before it loads the libraries.

Waiting threads that spin make training up to ten times
slower on a machine that does other work.
"""

WARM = "warm"
"""A name that loads everything and runs nothing."""


def run_pipeline(name: str, params: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The report of one run, as plain JSON; blocks. `WARM` only loads what runs need.

    Raises `Refused` for bad input, `Unavailable` where trying again may help; what else rises is
    a bug.
    """
    for variable, value in DEFAULTS.items():
        os.environ.setdefault(variable, value)
    os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "true"  # the worker's own says false
    from pipelines.run import load_everything, run  # noqa: PLC0415 - reads the environment

    try:
        if name == WARM:
            load_everything()
            return {}
        return run(name, params)
    except Exception as error:
        told = _told(error)
        if told is None:
            raise
        raise told from None


def _told(error: BaseException | None) -> Refused | Unavailable | None:
    """The port's exception under what Kedro wrapped around it; None for a bug."""
    while error is not None:
        if isinstance(error, Refused | Unavailable):
            return error
        error = error.__cause__
    return None
