from pathlib import Path

import pytest
from mlflow import MlflowClient

from tests.servers import start_in
from trimtab.runtime.embedded.server_start import start_server
from trimtab.runtime.embedded.servers import MlflowServer


@pytest.mark.e2e
async def test_what_is_logged_through_mlflows_page_is_found_in_its_database(
    tmp_path: Path,
) -> None:
    database = f"sqlite:///{tmp_path / 'mlflow.db'}"
    page = MlflowServer(database, artifacts=tmp_path / "mlartifacts")

    child, ports = await start_server(
        page, lambda *command: start_in(tmp_path, *command), ready_within=200
    )
    try:
        through = MlflowClient(f"http://127.0.0.1:{ports[0]}")
        run = through.create_run(through.create_experiment("by hand"))
        through.log_text(run.info.run_id, "kept", "note.txt")
    finally:
        await child.stop()

    assert kept(database, run.info.run_id) == "kept"


def kept(database: str, run_id: str) -> str:
    return Path(MlflowClient(database).download_artifacts(run_id, "note.txt")).read_text()
