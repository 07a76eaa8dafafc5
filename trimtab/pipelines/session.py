"""Runs a pipeline by name: for the pipeline processes, and for `python -m trimtab.pipelines`.

Importing this module loads neither Kedro nor MLflow nor scikit-learn.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import JsonValue

PROCESS_ENVIRONMENT = {
    "DO_NOT_TRACK": "1",
    "KEDRO_LOGGING_CONFIG": str(Path(__file__).with_name("logging.yml")),
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "OMP_WAIT_POLICY": "PASSIVE",
}
"""Environment variables that a process needs before it loads the libraries of pipelines.

OMP_WAIT_POLICY: waiting threads that spin make training up to ten times slower on a machine that
does other work.
"""
WARM_UP_PIPELINE = "warm"
"""Name that loads everything and runs no pipeline."""


def set_process_environment() -> None:
    """Set the variables that are not set yet; only useful before MLflow is loaded."""
    for variable, value in PROCESS_ENVIRONMENT.items():
        os.environ.setdefault(variable, value)


def run_pipeline(name: str, params: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Run a pipeline and return its report as plain JSON; blocks.

    `WARM_UP_PIPELINE` only loads what runs need. Raises `Refused` for bad input and `Unavailable`
    if another attempt may succeed; any other exception is a bug.
    """
    set_process_environment()
    # The worker's own environment says false: models are loaded in pipeline processes only.
    os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "true"
    from trimtab.pipelines import failures, run  # noqa: PLC0415 - they read the environment

    try:
        if name == WARM_UP_PIPELINE:
            run.load_all_datasets()
            return {}
        return run.execute_pipeline(name, params)
    except Exception as error:
        port_error = failures.find_port_error(error)
        if port_error is None:
            raise
        raise port_error from None
