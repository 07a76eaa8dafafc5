import asyncio
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError

from tests.servers import start_in
from tests.waiting import until
from trimtab.runtime.embedded import server_start
from trimtab.runtime.embedded.children import find_free_port
from trimtab.runtime.embedded.embedded_stack import EmbeddedStack
from trimtab.runtime.embedded.server_start import start_server
from trimtab.runtime.embedded.servers import MlflowServer, ValkeyServer
from trimtab.runtime.errors import StackError
from trimtab.runtime.settings import Settings, load_settings
from trimtab.runtime.stack_addresses import (
    find_running_stack,
    get_creation_time,
    require_redis_url,
    write_addresses,
)
from trimtab.runtime.temporal import connect_temporal, find_missing_search_attributes

HOLDER = """
import asyncio, sys
from pathlib import Path
from trimtab.runtime.embedded.embedded_stack import EmbeddedStack
from trimtab.runtime.settings import load_settings

async def main():
    async with EmbeddedStack(load_settings(home=Path(sys.argv[1]))) as stack:
        stack.start_child("loner", [sys.executable, "-c", "import time; time.sleep(600)"])
        print(*(child.pid for child in stack.servers), flush=True)
        await asyncio.sleep(600)

asyncio.run(main())
"""


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path / "home")


def family(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


async def test_data_survive_a_restart_and_nothing_else_does(settings: Settings) -> None:
    progress: list[str] = []
    async with EmbeddedStack(settings, progress=progress.append) as stack:
        first = stack.addresses
        processes = [process for server in stack.servers for process in family(server.pid)]
        assert find_running_stack(settings.home) == first
        assert require_redis_url(settings) == first.redis
        client = await connect_temporal(settings)
        assert await find_missing_search_attributes(client) == {}
        await client.start_workflow("Nobody", id="kept", task_queue="none")
        async with Redis.from_url(first.redis) as redis:
            await redis.xadd("drift-events", {"event": "kept"})
    assert find_running_stack(settings.home) is None
    assert not any(get_creation_time(process.pid) for process in processes)
    assert "starting temporal" in progress

    async with EmbeddedStack(settings) as stack:
        client = await connect_temporal(settings)
        assert (await client.get_workflow_handle("kept").describe()).id == "kept"
        async with Redis.from_url(stack.addresses.redis) as redis:
            assert await redis.xlen("drift-events") == 1


async def test_everything_ends_within_seconds_of_a_kill_and_the_home_is_free_again(
    settings: Settings,
) -> None:
    holder = subprocess.Popen(  # noqa: ASYNC220 - returns at once
        [sys.executable, "-c", HOLDER, str(settings.home)], stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    processes = family(holder.pid)
    assert {"temporal", "valkey-server"} <= {process.name() for process in processes}

    with pytest.raises(StackError, match=f"in use by process {holder.pid}: stop that one"):
        await EmbeddedStack(settings).start()

    holder.send_signal(signal.SIGKILL)
    holder.communicate()

    async with EmbeddedStack(settings) as stack:
        assert stack.addresses.pid == os.getpid()
        await until(lambda: not any(get_creation_time(process.pid) for process in processes))


async def test_the_stream_has_a_password_that_no_command_line_shows(settings: Settings) -> None:
    async with EmbeddedStack(settings) as stack:
        url = stack.addresses.redis
        password = url.removeprefix("redis://:").partition("@")[0]
        open_url = url.replace(f":{password}@", "")
        async with Redis.from_url(open_url) as anybody, Redis.from_url(url) as ours:
            with pytest.raises(AuthenticationError):
                await anybody.xadd("drift-events", {"event": "forged"})
            assert await ours.ping()
        commands = [
            " ".join(process.cmdline())
            for server in stack.servers
            for process in family(server.pid)
        ]

    assert len(password) > 40
    assert len(commands) >= 2
    assert not [command for command in commands if password in command]
    assert not [path for path in logs_of(settings) if password in path.read_text()]


async def test_the_password_of_the_stream_is_that_of_last_time(settings: Settings) -> None:
    passwords = []
    for _ in range(2):
        async with EmbeddedStack(settings) as stack:
            passwords.append(stack.addresses.redis.partition("@")[0])

    assert passwords[0] == passwords[1]


async def test_everything_in_the_home_is_its_owner_s_alone(settings: Settings) -> None:
    """Also what an earlier version had left for everybody to read."""
    settings.home.mkdir(mode=0o755)
    settings.home.chmod(0o755)
    (settings.home / "mlflow.db").touch(mode=0o644)
    before = os.umask(0o022)
    try:
        async with EmbeddedStack(settings) as stack:
            child = stack.start_child("writer", [sys.executable, "-c", "open('made', 'w')"],
                                      folder=settings.home)  # fmt: skip
            assert await child.wait() == 0
            found = [settings.home, *settings.home.rglob("*")]
            assert {"made", "temporal.db", "mlflow.db"} <= {path.name for path in found}
            assert [path for path in found if stat.S_IMODE(path.lstat().st_mode) & 0o077] == []
    finally:
        os.umask(before)


def logs_of(settings: Settings) -> list[Path]:
    return list((settings.home / "logs").iterdir())


def test_the_page_of_mlflow_shows_no_password_on_its_command_line(tmp_path: Path) -> None:
    database = "postgresql://me:s3cret@db/mlflow"

    command = MlflowServer(database, artifacts=tmp_path).build_command([5000])

    assert "s3cret" not in " ".join(command)
    assert "--backend-store-uri" in MlflowServer("sqlite:///x", artifacts=tmp_path).build_command(
        [5000]
    )


async def test_a_server_with_an_address_is_not_started(tmp_path: Path, valkey_url: str) -> None:
    settings = load_settings(
        home=tmp_path,
        redis={"url": valkey_url},
        temporal={"address": "temporal.example.org:7233", "ui_url": "https://ui.example.org"},
        mlflow_tracking_uri="https://mlflow.example.org",
    )

    async with EmbeddedStack(settings, mlflow_ui=True) as stack:
        assert stack.servers == ()
        assert stack.addresses.mlflow_ui == "https://mlflow.example.org"
        assert stack.addresses.redis == valkey_url
        assert stack.addresses.temporal == "temporal.example.org:7233"
        assert stack.addresses.ui == "https://ui.example.org/"


async def test_children_get_the_addresses_in_their_environment(
    tmp_path: Path, valkey_url: str
) -> None:
    settings = load_settings(
        home=tmp_path, redis={"url": valkey_url}, temporal={"address": "127.0.0.1:7233"}
    )
    show = "from trimtab.runtime.settings import load_settings; print(load_settings().redis.url)"

    async with EmbeddedStack(settings) as stack:
        child = stack.start_child("reader", [sys.executable, "-c", show])
        assert await child.wait() == 0

    assert child.read_last_lines() == valkey_url
    assert child.log == tmp_path / "logs" / "reader.log"


async def test_a_server_that_dies_is_noticed_with_its_last_words(settings: Settings) -> None:
    settings = settings.model_copy(
        update={"temporal": settings.temporal.model_copy(update={"address": "127.0.0.1:7233"})}
    )
    async with EmbeddedStack(settings) as stack:
        watching = asyncio.create_task(stack.watch())
        [valkey] = family(stack.servers[0].pid)
        valkey.terminate()

        with pytest.raises(StackError, match=r"redis ended with code 0(.|\n)*bye bye"):
            await asyncio.wait_for(watching, 10)


async def test_a_port_lost_in_a_race_is_replaced_by_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        taken, free = stranger.getsockname()[1], find_free_port()
        ports = [taken, free]
        monkeypatch.setattr(server_start, "find_free_port", lambda: ports.pop(0))
        child, chosen = await start_server(
            ValkeyServer(tmp_path), lambda *command: start_in(tmp_path, *command), ready_within=20
        )
        await child.stop()

    assert list(chosen) == [free]


class Deaf(ValkeyServer):
    """Listens, but never answers."""

    async def is_ready(self, ports: Sequence[int]) -> bool:
        return not ports


class Broken(ValkeyServer):
    """Cannot start."""

    def build_command(self, ports: Sequence[int]) -> list[str]:
        return [*super().build_command(ports), "--no-such-option", "yes"]


async def test_a_server_that_is_never_ready_is_ended_with_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"redis is not ready on port .* after 0.5 s(.|\n)*Ready"):
        await start_server(
            Deaf(tmp_path), lambda *command: start_in(tmp_path, *command), ready_within=0.5
        )


async def test_a_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(StackError, match=r"ended with code 1(.|\n)*no-such-option"):
        await start_server(
            Broken(tmp_path), lambda *command: start_in(tmp_path, *command), ready_within=20
        )


async def test_a_stale_file_of_addresses_counts_as_none(tmp_path: Path, valkey_url: str) -> None:
    settings = load_settings(
        home=tmp_path, redis={"url": valkey_url}, temporal={"address": "127.0.0.1:7233"}
    )
    async with EmbeddedStack(settings) as stack:
        addresses = stack.addresses

    write_addresses(addresses.model_copy(update={"pid": 2**22 - 1}))
    assert find_running_stack(tmp_path) is None
    write_addresses(addresses.model_copy(update={"born": addresses.born - 60}))
    assert find_running_stack(tmp_path) is None
    (tmp_path / "stack.json").write_text("{")
    assert find_running_stack(tmp_path) is None


async def test_another_namespace_is_made_when_asked_for(tmp_path: Path, valkey_url: str) -> None:
    settings = load_settings(
        home=tmp_path, redis={"url": valkey_url}, temporal={"namespace": "trials"}
    )

    async with EmbeddedStack(settings):
        client = await connect_temporal(settings)

        assert client.namespace == "trials"
        assert await find_missing_search_attributes(client) == {}


async def test_the_file_of_addresses_is_for_its_owner_alone(
    tmp_path: Path, valkey_url: str
) -> None:
    settings = load_settings(
        home=tmp_path, redis={"url": valkey_url}, temporal={"address": "127.0.0.1:7233"}
    )

    async with EmbeddedStack(settings):
        assert (tmp_path / "stack.json").stat().st_mode & 0o777 == 0o600
