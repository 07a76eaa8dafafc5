"""One incident with a real, tiny language model: it talks nonsense, and that ends safely."""

import asyncio
import io
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.console import Console
from temporalio.client import Client

from tests.e2e.ollama_server import TOOLS_MODEL
from trimtab.cli.backtest.backtest_stack import BacktestStack
from trimtab.cli.backtest.progress_display import ProgressDisplay
from trimtab.cli.backtest.replay import Replay, ReplayedWindow
from trimtab.cli.backtest.respondent import SilentRespondent
from trimtab.contracts.decision import Verdict
from trimtab.contracts.drift import DriftEvent
from trimtab.contracts.incident import Ending
from trimtab.contracts.names import build_deliberation_id
from trimtab.runtime.models import load_model_spec
from trimtab.runtime.settings import load_settings

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def test_nonsense_ends_with_a_person_or_in_monitoring(
    ollama: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OLLAMA_HOST", ollama)

    incident = asyncio.run(first_incident(f"ollama/{TOOLS_MODEL}", home=tmp_path / "home"))

    report = incident.replayed.report
    assert incident.answers > 0, "the model never answered"
    assert report is not None
    assert report.decision is not None
    assert report.decision.verdict in {Verdict.ESCALATE, Verdict.MONITOR}
    assert report.ending in {Ending.EXPIRED, Ending.MONITORED}
    assert not incident.champion_moved


@dataclass(frozen=True)
class FirstIncident:
    """What came of it."""

    replayed: ReplayedWindow
    champion_moved: bool
    answers: int
    """Of the language model, in the first deliberation."""


async def first_incident(analyst: str, *, home: Path) -> FirstIncident:
    """The first incident of the car parks."""
    settings = load_settings(
        home=home,
        analyst={"model": analyst, "timeout": "PT80S", "deliberation_timeout": "PT90S"},
        backtest={"replay": True, "approval_timeout": "PT2S"},
    )
    spec = load_model_spec("birmingham-parking")
    console = Console(file=io.StringIO())
    with ProgressDisplay(console) as display:
        async with BacktestStack(settings, progress=display.show) as stack:
            replay = Replay(stack, spec, SilentRespondent(console), display=display)
            before = (await replay.train())["version"]
            for window in await replay.list_windows():
                replayed = await replay.replay(window)
                if replayed.report is not None:
                    break
            champion = await asyncio.to_thread(stack.registry.champion, spec.name)
            assert replayed.event is not None
            answers = await model_answers(stack.client, replayed.event)
    return FirstIncident(replayed, champion is None or champion.version != before, answers)


async def model_answers(client: Client, event: DriftEvent) -> int:
    """In the first deliberation; a second one would be the fallback's."""
    query = f"WorkflowId = '{build_deliberation_id(event.subject, event.id)}'"
    runs = [run async for run in client.list_workflows(query)]
    first = min(runs, key=lambda run: run.start_time)
    handle = client.get_workflow_handle(first.id, run_id=first.run_id)
    events = (await handle.fetch_history()).events
    asked = {
        event.event_id
        for event in events
        if event.activity_task_scheduled_event_attributes.activity_type.name == "invoke_model"
    }
    return sum(
        event.activity_task_completed_event_attributes.scheduled_event_id in asked
        for event in events
    )
