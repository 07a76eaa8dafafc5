from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest
from mlflow.exceptions import MlflowException
from mlflow.protos.databricks_pb2 import (
    INVALID_PARAMETER_VALUE,
    RESOURCE_DOES_NOT_EXIST,
    TEMPORARILY_UNAVAILABLE,
)
from sqlalchemy.exc import OperationalError

from trimtab.adapters.registry.tracking import (
    get_or_create_experiment,
    open_tracking,
    translate_mlflow_errors,
)
from trimtab.contracts.ports import Refused, Unavailable
from trimtab.runtime.settings import Settings


def test_many_that_make_an_experiment_at_once_get_the_same_one(mlflow_settings: Settings) -> None:
    client = open_tracking(mlflow_settings)

    with ThreadPoolExecutor(4) as pool:
        ids = set(
            pool.map(
                lambda _: get_or_create_experiment(
                    client, "trimtab/x/training", settings=mlflow_settings
                ),
                range(4),
            )
        )

    assert len(ids) == 1


def test_processes_that_open_a_new_database_at_once_do_not_disturb_each_other(
    tmp_path: Path,
) -> None:
    settings = Settings(home=tmp_path / "home", mlflow_tracking_uri=None)

    with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as pool:
        counts = list(pool.map(_experiments_in, [settings] * 3))

    assert counts == [1, 1, 1]


def _experiments_in(settings: Settings) -> int:
    return len(open_tracking(settings).search_experiments())


def test_artifacts_of_an_embedded_store_lie_in_its_home(mlflow_settings: Settings) -> None:
    client = open_tracking(mlflow_settings)

    made = client.get_experiment(
        get_or_create_experiment(client, "trimtab/../../x", settings=mlflow_settings)
    )

    root = (mlflow_settings.home / "mlartifacts").as_uri()
    assert made.artifact_location.startswith(f"{root}/")
    assert ".." not in made.artifact_location


def test_a_deleted_experiment_is_an_error_with_its_remedy(mlflow_settings: Settings) -> None:
    client = open_tracking(mlflow_settings)
    client.delete_experiment(get_or_create_experiment(client, "gone", settings=mlflow_settings))

    with pytest.raises(Refused, match="'gone' was deleted: restore it"):
        get_or_create_experiment(client, "gone", settings=mlflow_settings)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OperationalError("select", {}, Exception("database is locked")), Unavailable),
        (MlflowException("connection refused"), Unavailable),
        (MlflowException("busy", TEMPORARILY_UNAVAILABLE), Unavailable),
        (MlflowException("no such run", RESOURCE_DOES_NOT_EXIST), Refused),
        (MlflowException("bad name", INVALID_PARAMETER_VALUE), Refused),
    ],
)
def test_errors_that_may_pass_are_unavailable_and_others_are_refused(
    error: Exception, expected: type[Exception]
) -> None:
    with pytest.raises(expected), translate_mlflow_errors():
        raise error
