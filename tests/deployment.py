"""Deployments with a real MLflow and a real stream, in folders of their own."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.environment import environment_kept
from trimtab.runtime.settings import Settings

PARKING = "birmingham-parking"

Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="session")
def trained_home(mlflow_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The car parks' first champion, trained once; tests share it and leave its alias alone."""
    home = tmp_path_factory.mktemp("parking") / "home"
    home.mkdir()
    shutil.copy(mlflow_template, home / "mlflow.db")
    with environment_kept(), pytest.MonkeyPatch.context() as patch:
        _settle(patch, home)
        _run("training", {"model": PARKING})
    shutil.copy(home / "mlflow.db", home.parent / "trained.db")
    return home


@pytest.fixture(scope="session")
def trained_database(trained_home: Path) -> Path:
    """MLflow's database as it was right behind the training, whatever tests ran since."""
    return trained_home.parent / "trained.db"


@pytest.fixture
def parking(trained_home: Path, valkey_url: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a pipeline about the car parks."""
    _settle(monkeypatch, trained_home, valkey_url)
    return lambda pipeline, **params: _run(pipeline, {"model": PARKING, **params})


@pytest.fixture
def elsewhere(
    mlflow_settings: Settings, tmp_path: Path, valkey_url: str, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Runs a pipeline in a folder outside the checkout, with an MLflow of its own."""
    _settle(monkeypatch, mlflow_settings.home, valkey_url)
    (tmp_path / "conf" / "local" / "models").mkdir(parents=True)
    return lambda pipeline, **params: _run(pipeline, params)


@pytest.fixture
def stream(valkey_url: str) -> Iterator[Callable[[], list[bytes]]]:
    """What was published since the test began."""
    with redis.Redis.from_url(valkey_url) as server:
        server.delete("drift-events")
        yield lambda: [fields[b"event"] for _, fields in server.xrange("drift-events")]


def _settle(patch: pytest.MonkeyPatch, home: Path, valkey_url: str | None = None) -> None:
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):
        patch.delenv(name, raising=False)
    patch.setenv("TRIMTAB_HOME", str(home))
    if valkey_url:
        patch.setenv("TRIMTAB_REDIS__URL", valkey_url)
    patch.chdir(home.parent)


def _run(pipeline: str, params: Mapping[str, Any]) -> dict[str, Any]:
    from trimtab.pipelines.session import run_pipeline  # noqa: PLC0415 - its pipelines take seconds to load

    return run_pipeline(pipeline, params)
