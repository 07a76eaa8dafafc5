import asyncio
import os
import signal

import pytest

from trimtab.cli.errors import InterruptionError
from trimtab.cli.signals import run_until_signal


async def test_the_result_of_finished_work_is_returned() -> None:
    async def work() -> int:
        return 7

    assert await run_until_signal(work()) == 7


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
async def test_a_signal_ends_the_work_once_it_has_cleaned_up(
    number: signal.Signals, code: int
) -> None:
    done = []

    async def work() -> None:
        try:
            os.kill(os.getpid(), number)
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            done.append("cleaned up")

    with pytest.raises(InterruptionError) as caught:
        await run_until_signal(work())

    assert caught.value.exit_code == code
    assert number.name in str(caught.value)
    assert done == ["cleaned up"]


async def test_handlers_are_removed_again() -> None:
    await run_until_signal(asyncio.sleep(0))

    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
