"""Opens MLflow, embedded or not, once a process, and makes experiments once."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Final

import mlflow
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient
from sqlalchemy.exc import OperationalError

from trimtab.contracts.ports import Refused, Unavailable
from trimtab.contracts.slug import slug
from trimtab.files.private_files import make_private_folder, private_umask
from trimtab.runtime.settings import Settings

_RETRYABLE_CODES: Final = frozenset(
    {
        "INTERNAL_ERROR", "TEMPORARILY_UNAVAILABLE", "DEADLINE_EXCEEDED",
        "REQUEST_LIMIT_EXCEEDED", "RESOURCE_EXHAUSTED",
    }
)  # fmt: skip
"""Codes of errors that may pass; INTERNAL_ERROR is also that of a refused connection."""


def open_tracking(settings: Settings) -> MlflowClient:
    """Return a client for `settings.tracking_uri`, which becomes this process's default too.

    A new SQLite database is set up by one process at a time. MLflow draws and prints nothing, and
    does not try a server that is away for minutes: Temporal tries again, and a person waits.
    """
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
    with translate_mlflow_errors():
        mlflow.set_tracking_uri(settings.tracking_uri)
        mlflow.set_registry_uri(settings.tracking_uri)
        return _open_client(settings.tracking_uri, settings.home.absolute())


def get_or_create_experiment(client: MlflowClient, name: str, *, settings: Settings) -> str:
    """Return the id of an experiment, which is made if it is missing.

    Two processes that make it at once get the same one.

    Raises:
        Refused: Somebody has deleted the experiment.
    """
    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return str(
                client.create_experiment(name, artifact_location=_locate_artifacts(name, settings))
            )
        except MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            found = client.get_experiment_by_name(name)
    if found is None or found.lifecycle_stage != "active":
        msg = f"experiment {name!r} was deleted: restore it or delete it for good"
        raise Refused(msg)
    return str(found.experiment_id)


@contextmanager
def translate_mlflow_errors() -> Iterator[None]:
    """Turn MLflow's errors into `Unavailable` (busy, unreachable) and `Refused` (all others)."""
    try:
        yield
    except OperationalError as error:
        msg = f"MLflow's database is busy or unreachable: {error.orig}"
        raise Unavailable(msg) from error
    except MlflowException as error:
        if error.error_code in _RETRYABLE_CODES or "OperationalError" in str(error):
            msg = f"MLflow is unavailable: {error}"
            raise Unavailable(msg) from error
        msg = f"MLflow refused: {error}"
        raise Refused(msg) from error


@lru_cache(maxsize=4)
def _open_client(uri: str, home: Path) -> MlflowClient:
    if not uri.startswith("sqlite"):
        return MlflowClient(tracking_uri=uri, registry_uri=uri)
    make_private_folder(home)
    with private_umask(), (home / "mlflow.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        client = MlflowClient(tracking_uri=uri, registry_uri=uri)  # makes the tables already
        client.search_experiments(max_results=1)
        client.search_registered_models(max_results=1)
    return client


def _locate_artifacts(name: str, settings: Settings) -> str | None:
    """Return a folder beside an embedded database; None for a server, which has its own root."""
    if not settings.tracking_uri.startswith("sqlite"):
        return None
    return (settings.home.absolute() / "mlartifacts" / slug(name)).as_uri()
