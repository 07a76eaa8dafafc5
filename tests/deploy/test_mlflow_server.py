"""The tracking server of docker-compose.yml, run as it is there but for port and database."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.architecture.sources import ROOT
from tests.deploy.test_compose import SERVICES

PATIENCE = 120


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of the server, run by the command of docker-compose.yml."""
    tmp_path = tmp_path_factory.mktemp("mlflow")
    port = free_port()
    replaced = {
        "--host=0.0.0.0": "--host=127.0.0.1",
        "--port=5000": f"--port={port}",
        "--workers=2": "--workers=1",
        "--artifacts-destination=/mlflow": f"--artifacts-destination={tmp_path / 'artifacts'}",
    }
    command = [replaced.get(word, word) for word in SERVICES["mlflow"]["command"]]
    hosts = next(word for word in command if word.startswith("--allowed-hosts"))
    command[command.index(hosts)] = f"{hosts},127.0.0.1:{port}"
    environment = {
        **os.environ,
        **SERVICES["mlflow"]["environment"],
        "MLFLOW_BACKEND_STORE_URI": f"sqlite:///{tmp_path / 'mlflow.db'}",
    }
    log = tmp_path / "server.log"
    with log.open("wb") as sink:
        child = subprocess.Popen(
            [Path(sys.executable).with_name(command[0]), *command[1:]],
            env=environment, stdout=sink, stderr=sink, cwd=tmp_path,
        )  # fmt: skip
        try:
            await_health(f"http://127.0.0.1:{port}", child=child, log=log)
            yield f"http://127.0.0.1:{port}"
        finally:
            child.terminate()
            child.wait(timeout=20)


def await_health(url: str, *, child: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and child.poll() is None:
        try:
            httpx.get(f"{url}/health", timeout=5).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.2)
        else:
            return
    pytest.fail(f"the server did not answer at {url}:\n{log.read_text()[-2000:]}")


def test_a_champion_is_trained_and_registered_over_http(server: str, tmp_path: Path) -> None:
    environment = {**os.environ, "MLFLOW_TRACKING_URI": server, "TRIMTAB_HOME": str(tmp_path)}
    params = '{"model": "birmingham-parking"}'

    done = subprocess.run(
        [sys.executable, "-m", "trimtab.pipelines", "training", "--params", params],
        cwd=ROOT, env=environment, check=False, capture_output=True, text=True, timeout=PATIENCE,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    registered = httpx.get(
        f"{server}/api/2.0/mlflow/registered-models/alias",
        params={"name": "birmingham-parking", "alias": "champion"},
        timeout=10,
    )
    assert registered.json()["model_version"]["version"] == "1"


def test_a_request_for_another_host_is_refused(server: str) -> None:
    answer = httpx.get(
        f"{server}/api/2.0/mlflow/experiments/get?experiment_id=0",
        headers={"Host": "elsewhere.example"},
        timeout=10,
    )

    assert answer.status_code == 403
