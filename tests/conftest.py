"""Servers that any test may use; each is started with the first test that asks for it."""

from collections.abc import Iterator

import pytest
from temporalio.client import Client

from tests.environment import environment_kept
from tests.servers import running
from trimtab.runtime.embedded.servers import TemporalServer, ValkeyServer
from trimtab.runtime.settings import load_settings
from trimtab.runtime.temporal import connect_temporal

pytest_plugins = ["tests.registry", "tests.deployment"]


@pytest.fixture(autouse=True)
def environment_restored() -> Iterator[None]:
    """What a test, or a library that it uses, leaves in the environment ends with the test."""
    with environment_kept():
        yield


@pytest.fixture(scope="session")
def valkey_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis-protocol server; tests keep to streams of their own."""
    folder = tmp_path_factory.mktemp("valkey")
    with running(ValkeyServer(folder), folder) as ports:
        yield f"redis://127.0.0.1:{ports[0]}"


@pytest.fixture(scope="session")
def temporal_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Temporal dev server with our search attributes; tests keep to ids of their own."""
    folder = tmp_path_factory.mktemp("temporal")
    with running(TemporalServer(folder / "temporal.db"), folder) as ports:
        yield f"127.0.0.1:{ports[0]}"


@pytest.fixture
async def temporal_client(temporal_address: str) -> Client:
    """A client as worker and bridge have it."""
    return await connect_temporal(load_settings(temporal={"address": temporal_address}))
