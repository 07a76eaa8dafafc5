"""A real MLflow on SQLite for every test that asks, copied from one that was set up once."""

import shutil
from pathlib import Path

import pytest

from tests.environment import environment_kept
from trimtab.runtime.settings import Settings


@pytest.fixture(scope="session")
def mlflow_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database of the current version: making one takes seconds."""
    from trimtab.adapters.registry.tracking import open_tracking  # noqa: PLC0415 - mlflow costs 3 s to import

    home = tmp_path_factory.mktemp("mlflow-template")
    with environment_kept():
        open_tracking(Settings(home=home, mlflow_tracking_uri=None))
    return home / "mlflow.db"


@pytest.fixture
def mlflow_settings(
    mlflow_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """Settings of a deployment whose MLflow is fresh."""
    for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(mlflow_template, home / "mlflow.db")
    return Settings(home=home)
