"""Runs one incident whose worker dies at every point of a moment, and judges what is left.

The judge reads MLflow, the audit log and Temporal, and believes no workflow's result.
"""

import asyncio
import shutil
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from temporalio.client import Client

from policies.reconciliation import reconcile_registry
from policies.workflow_reconciliation import reconcile_workflows
from tests.chaos.crash_points import CrashMoment, CrashPoints
from tests.chaos.scenarios import MODEL, SCENARIOS, Scenario
from trimtab.adapters.audit.audit_log import JsonlAuditLog
from trimtab.adapters.audit.audit_verification import verify
from trimtab.adapters.audit.chain_heads import ChainHeads, judge_heads
from trimtab.adapters.audit.log_reading import read_chain_files
from trimtab.adapters.registry.model_registry import MlflowRegistry
from trimtab.adapters.registry.tracking import open_tracking
from trimtab.adapters.temporal_incidents import TemporalIncidents
from trimtab.contracts import names
from trimtab.contracts.audit import Gate
from trimtab.contracts.incident import IncidentReport
from trimtab.contracts.model import ModelVersion
from trimtab.contracts.tags import EFFECT_KEY_TAG, list_promotion_keys
from trimtab.runtime.embedded.children import ChildProcess, start_child
from trimtab.runtime.embedded.server_start import start_server
from trimtab.runtime.embedded.servers import Ports, TemporalServer
from trimtab.runtime.settings import Settings, load_settings
from trimtab.runtime.temporal import connect_temporal
from workflows.drift_response import DriftResponseWorkflow

ROOT: Final = Path(__file__).parents[2]
EVENT: Final = "event-1"
KEY: Final = b"k" * 32


class ImpatientTemporal(TemporalServer):
    """A dev server that gives a dead worker's workflow task to the next one after a second."""

    def build_command(self, ports: Ports) -> list[str]:
        quick = 'history.defaultWorkflowTaskTimeout="1s"'
        return [*super().build_command(ports), "--dynamic-config-value", quick]


@dataclass(frozen=True, kw_only=True)
class CrashRun:
    """One incident, the points at which its worker died, and what the judge found."""

    scenario: str
    moment: CrashMoment
    points: tuple[str, ...]
    lives: tuple[int, ...]
    """Exit codes of the workers."""
    seconds: float
    ending: str
    faults: tuple[str, ...]


async def run_with_crashes(
    scenario: str,
    moment: CrashMoment,
    home: Path,
    *,
    only: str = "",
    without: str = "",
    seconds: float = 270.0,
) -> CrashRun:
    """Run the incident to its end.

    Args:
        scenario: Name of the kind of incident.
        moment: Where the worker dies, at every effect.
        home: A folder that `prepare_home` has made.
        only: The one point at which it dies; empty for all.
        without: What the worker must do without: "key", or nothing.
        seconds: Time after which the incident counts as stuck.
    """
    kind = SCENARIOS[scenario]
    began = datetime.now(UTC)
    temporal, ports = await start_server(
        ImpatientTemporal(home / "temporal.db"),
        lambda name, command: start_child(command, log=home / f"{name}.log", grace=2.0),
        ready_within=60,
    )
    address = f"127.0.0.1:{ports[0]}"
    words = [address, str(home), scenario, moment.value, "--only", only, "--without", without]
    worker = _start_worker(words, home)
    try:
        client = await connect_temporal(load_settings(temporal={"address": address}))
        report = await _respond(client, kind, seconds=seconds)
        lives = _read_lives(home)
        faults = await _list_faults(client, home, kind, report)
    finally:
        await worker.stop()
        await temporal.stop()
    faults += [f"a worker ended with {code}" for code in lives if code != -signal.SIGKILL]
    return CrashRun(
        scenario=scenario,
        moment=moment,
        points=tuple(CrashPoints(home / "deaths", moment=moment).taken),
        lives=lives,
        seconds=(datetime.now(UTC) - began).total_seconds(),
        ending=report.ending.value if report else "stuck",
        faults=tuple(faults),
    )


def prepare_home(home: Path, scenario: str, *, template: Path) -> Path:
    """Fill a new folder with the registry of a scenario, made from an empty MLflow database."""
    home.mkdir(parents=True)
    shutil.copy(template, home / "mlflow.db")
    SCENARIOS[scenario].fill_registry(open_tracking(Settings(home=home, mlflow_tracking_uri=None)))
    return home


def _start_worker(words: list[str], home: Path) -> ChildProcess:
    return start_child(
        [sys.executable, "-m", "tests.chaos.crashing_worker", *words],
        log=home / "worker.log",
        folder=ROOT,
        grace=1.0,
    )


async def _respond(client: Client, kind: Scenario, *, seconds: float) -> IncidentReport | None:
    incident = kind.build_incident(EVENT)
    handle = await client.start_workflow(
        DriftResponseWorkflow.run,
        incident,
        id=names.build_drift_response_id(MODEL, EVENT),
        task_queue=names.MAIN_QUEUE,
    )
    try:
        async with asyncio.timeout(seconds):
            return await handle.result()
    except TimeoutError:
        return None


def _read_lives(home: Path) -> tuple[int, ...]:
    path = home / "lives"
    return tuple(map(int, path.read_text().split())) if path.exists() else ()


async def _list_faults(
    client: Client, home: Path, kind: Scenario, report: IncidentReport | None
) -> list[str]:
    if report is None:
        return ["stuck"]
    registry = MlflowRegistry(settings=Settings(home=home, mlflow_tracking_uri=None))
    faults = list(_judge_registry(registry, kind))
    faults += _judge_log(home, registry, report)
    workflows = await TemporalIncidents(lambda: client).list_workflows()
    chains = [JsonlAuditLog(home / "audit", key=KEY).lines(EVENT)]
    found = [
        *reconcile_registry(chains, registry.list_all_versions()),
        *reconcile_workflows(chains, workflows, now=datetime.now(UTC)),
    ]
    faults += [each.fault for each in found]
    if report.ending is not kind.ending:
        faults.append(f"it ended {report.ending} ({report.failure}), not {kind.ending}")
    return faults


def _judge_registry(registry: MlflowRegistry, kind: Scenario) -> Iterator[str]:
    """Yield where the registry shows more, less or other than one effect of each kind."""
    versions = registry.list_all_versions()
    champions = [each.version for each in versions if each.champion]
    if champions != [kind.served]:
        yield f"the champion is {champions}, not {kind.served}"
    if len(versions) != kind.versions:
        yield f"there are {len(versions)} versions, not {kind.versions}"
    for key, count in _count_effects(versions).items():
        if count > 1:
            yield f"the effect {key:.12} happened {count} times"
    runs = registry.list_recorded_tips()
    if [each.incident for each in runs] != [EVENT]:
        yield f"{len(runs)} runs record the incident"


def _count_effects(versions: tuple[ModelVersion, ...]) -> Counter[str]:
    keys: list[str] = []
    for version in versions:
        keys += [version.tags[EFFECT_KEY_TAG]] if EFFECT_KEY_TAG in version.tags else []
        keys += list_promotion_keys(version.tags)
    return Counter(keys)


def _judge_log(home: Path, registry: MlflowRegistry, report: IncidentReport) -> Iterator[str]:
    folder = home / "audit"
    statuses = verify(folder, key=KEY, tips=registry.list_recorded_tips())
    yield from (each.fault for each in statuses if not each.valid)
    if [each.closed for each in statuses] != [True]:
        yield f"the log holds {len(statuses)} chains, and not one closed one"
    lines = JsonlAuditLog(folder, key=KEY).lines(EVENT)
    ends = [line.entry for line in lines if line.entry.gate is Gate.CLOSED]
    if len(ends) != 1:
        yield f"the chain has {len(ends)} ends"
    for entry in (line.entry for line in lines if line.entry.gate is Gate.CONFLICT):
        if entry.detail["standing_gate"] != Gate.AUTHORISED:  # a grant that reached nobody
            yield f"sequence {entry.sequence} tells of a conflict: {entry.detail}"
    if (report.audit_entries, report.audit_tip) != (len(lines), lines[-1].hash):
        yield "the report names another end of the chain"
    heads = ChainHeads(folder, key=KEY)
    files = read_chain_files(folder, key=KEY)
    yield from (each.fault for each in judge_heads(heads, files, recorded=None) if each.grave)
