"""One incident with a real, tiny language model: it talks nonsense, and that ends safely."""

import asyncio
import io
from pathlib import Path

import pytest
from rich.console import Console

from cli.narrator import Narrator
from cli.replay import Replay, Replayed
from cli.respondent import Nobody
from cli.stage import Stage
from contracts.decision import Verdict
from contracts.incident import Ending
from runtime.models import load_model
from runtime.settings import load_settings
from tests.e2e.ollama_server import TOOLS_MODEL

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def test_nonsense_ends_with_a_person_or_in_monitoring(
    ollama: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OLLAMA_HOST", ollama)

    replayed, moved = asyncio.run(first_incident(f"ollama/{TOOLS_MODEL}", home=tmp_path / "home"))

    report = replayed.report
    assert report is not None
    assert report.decision is not None
    assert report.decision.verdict in {Verdict.ESCALATE, Verdict.MONITOR}
    assert report.ending in {Ending.EXPIRED, Ending.MONITORED}
    assert not moved


async def first_incident(analyst: str, *, home: Path) -> tuple[Replayed, bool]:
    """The first incident of the car parks, and whether the champion is another one after it."""
    settings = load_settings(
        home=home,
        analyst={"model": analyst},
        backtest={"replay": True, "approval_timeout": "PT2S"},
    )
    spec = load_model("birmingham-parking")
    console = Console(file=io.StringIO())
    with Narrator(console) as narrator:
        async with Stage(settings, progress=narrator.say) as stage:
            replay = Replay(stage, spec, Nobody(console), narrator=narrator)
            before = (await replay.train())["version"]
            for window in await replay.windows():
                replayed = await replay.replay(window)
                if replayed.report is not None:
                    break
            champion = await asyncio.to_thread(stage.registry.champion, spec.name)
    return replayed, champion is None or champion.version != before
