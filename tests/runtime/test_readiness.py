"""What is not up yet is waited for, with a line every few seconds and no traceback."""

import asyncio

import pytest
from structlog.testing import capture_logs

from trimtab.contracts.ports import Refused, Unavailable
from trimtab.runtime.readiness import StoppedError, wait_until_ready


class Server:
    """Answers after so many attempts."""

    def __init__(self, *, failures: int, error: Exception | None = None) -> None:
        self.left = failures
        self.error = error or Unavailable("no answer\nfrom redis://me:s3cret@cache")

    async def __call__(self) -> str:
        if self.left:
            self.left -= 1
            raise self.error
        return "there"


async def wait(server: Server, *, stop: asyncio.Event | None = None, report: float = 60) -> str:
    return await wait_until_ready(
        "MLflow", server, stop=stop or asyncio.Event(), retry=0.01, report=report
    )


async def test_what_is_there_is_returned_without_a_word() -> None:
    with capture_logs() as logs:
        assert await wait(Server(failures=0)) == "there"

    assert logs == []


async def test_what_comes_later_is_waited_for_with_one_line() -> None:
    with capture_logs() as logs:
        assert await wait(Server(failures=5)) == "there"

    assert [(log["event"], log["thing"]) for log in logs] == [
        ("waiting", "MLflow"), ("ready", "MLflow"),
    ]  # fmt: skip
    assert logs[0]["reason"] == "no answer from redis://me:***@cache"


async def test_a_long_wait_is_reported_again() -> None:
    with capture_logs() as logs:
        await wait(Server(failures=5), report=0.0)

    assert [log["event"] for log in logs] == ["waiting"] * 5 + ["ready"]


async def test_what_no_waiting_mends_ends_at_once() -> None:
    with pytest.raises(Refused, match="no key"):
        await wait(Server(failures=1, error=Refused("no key")))


async def test_a_stop_ends_the_wait() -> None:
    stop = asyncio.Event()
    waiting = asyncio.create_task(wait(Server(failures=10**9), stop=stop))
    await asyncio.sleep(0.05)

    stop.set()

    with pytest.raises(StoppedError):
        await asyncio.wait_for(waiting, 1)
