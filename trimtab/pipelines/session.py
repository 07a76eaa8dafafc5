"""Runs a pipeline by name: what the pipeline processes call, and `python -m trimtab.pipelines`.

Importing this module loads neither Kedro nor MLflow nor scikit-learn.
"""

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import JsonValue

from trimtab.contracts.ports import Refused, Unavailable

DEFAULTS = {
    "DO_NOT_TRACK": "1",
    "KEDRO_LOGGING_CONFIG": str(Path(__file__).with_name("logging.yml")),
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "ERROR",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "OMP_WAIT_POLICY": "PASSIVE",
}
"""Variables that a process which runs pipelines needs before it loads the libraries.

Waiting threads that spin make training up to ten times
slower on a machine that does other work.
"""

_MISSING = {"TableNotFound"}
"""Ibis's errors about a table that is not there."""

WARM = "warm"
"""A name that loads everything and runs nothing."""


def prepare() -> None:
    """Set what this process needs; of use before MLflow is loaded."""
    for variable, value in DEFAULTS.items():
        os.environ.setdefault(variable, value)


def run_pipeline(name: str, params: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The report of one run, as plain JSON; blocks. `WARM` only loads what runs need.

    Raises `Refused` for bad input, `Unavailable` where trying again may help; what else rises is
    a bug.
    """
    prepare()
    os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] = "true"  # the worker's own says false
    from trimtab.pipelines.run import load_everything, run  # noqa: PLC0415 - reads the environment

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
    from trimtab.detection.tables.duckdb_table import UnreadableError  # noqa: PLC0415 - as above
    from trimtab.detection.tables.ibis_engine import EngineError, is_transient_error  # noqa: PLC0415 - only where a run failed

    while error is not None:
        if isinstance(error, Refused | Unavailable):
            return error
        if is_transient_error(error) or (isinstance(error, EngineError) and error.transient):
            return Unavailable(f"a store cannot be reached now: {_line(error)}")
        if isinstance(error, UnreadableError):
            return Refused(f"the history cannot be read: {_line(error)}")
        if said := _misnamed(error):
            return Refused(f"the history cannot be read: {said}")
        error = error.__cause__
    return None


def _misnamed(error: BaseException) -> str:
    """What is wrong where a catalog's entry names what is not there; empty where it is not that."""
    if type(error).__name__ in _MISSING:
        return f"there is no table {_line(error)}: correct table_name and database of its entry"
    if isinstance(error, ModuleNotFoundError):
        return f"{error}: install the driver of its engine, such as ibis-framework[postgres]"
    if isinstance(error, AttributeError) and "module 'ibis'" in str(error):
        return f"{_line(error).rstrip('. ')}: correct the backend of its entry"
    return ""


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:400] or type(error).__name__
