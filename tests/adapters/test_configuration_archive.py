"""An earlier policy counts only for incidents that began while it was in force."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.builders import NOW
from tests.waiting import until
from trimtab.adapters.configuration_archive import FileConfigurationArchive
from trimtab.contracts.base import compute_digest
from trimtab.contracts.decision import Limits
from trimtab.contracts.ports import Refused
from trimtab.runtime.models import load_limits
from trimtab.runtime.settings import Settings


@pytest.fixture(autouse=True)
def replace_policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], int]:
    """What writes the policy's file, in a working directory of its own."""
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "conf" / "local" / "policy.yml"
    file.parent.mkdir(parents=True)
    file.write_text("cost_at_most: 50\n")
    return file.write_text


def an_archive(folder: Path, clock: Callable[[], datetime]) -> FileConfigurationArchive:
    return FileConfigurationArchive(folder / "configuration", settings=Settings(), clock=clock)


async def test_a_policy_that_was_replaced_between_two_grants_is_over(
    tmp_path: Path, replace_policy: Callable[[str], int]
) -> None:
    """Under a policy of shadows no grant is minted, so the mint never notices it by itself."""
    now, stop = NOW, asyncio.Event()
    archive = an_archive(tmp_path, lambda: now)
    loose = load_limits()
    watching = asyncio.create_task(archive.watch(stop, every=0.01))
    try:
        await _until_noted(tmp_path, loose)
        replace_policy("shadow: true\n")
        await _until_noted(tmp_path, load_limits())
    finally:
        stop.set()
        await watching
    now = NOW + timedelta(days=1)

    with pytest.raises(Refused, match="was replaced at"):
        archive.find_limits(compute_digest(loose), began_at=now)
    assert archive.find_limits(compute_digest(loose), began_at=NOW) == loose


async def test_a_folder_that_cannot_be_written_does_not_end_the_watch(tmp_path: Path) -> None:
    (tmp_path / "configuration").write_text("a file\n")
    stop = asyncio.Event()
    watching = asyncio.create_task(an_archive(tmp_path, lambda: NOW).watch(stop, every=0.01))
    await asyncio.sleep(0.1)
    assert not watching.done()

    (tmp_path / "configuration").unlink()
    await _until_noted(tmp_path, load_limits())
    stop.set()
    await watching


async def _until_noted(folder: Path, limits: Limits) -> None:
    path, digest = folder / "configuration" / "policy.jsonl", compute_digest(limits)

    async def is_noted() -> bool:
        return path.exists() and digest in path.read_text()

    await until(is_noted, seconds=20)
