"""Checks that no incident is stuck: without a workflow, or with work that fails again and again."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from temporalio.service import RPCError

from policies.workflow_reconciliation import is_stuck
from trimtab.adapters.audit.audit_log import JsonlAuditLog
from trimtab.adapters.audit.log_reading import has_chain_files
from trimtab.adapters.incident_client import IncidentClient, IncidentRow
from trimtab.adapters.temporal_incidents import TemporalIncidents
from trimtab.cli.audit.audit_verification import get_log_folder, read_log_key
from trimtab.cli.doctor.check_result import CheckResult
from trimtab.contracts.audit import AuditEntry, Gate
from trimtab.contracts.ports import Refused, Unavailable
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.paths import format_command
from trimtab.runtime.settings import Settings
from trimtab.runtime.temporal import connect_temporal

_THING: Final = "incidents"
_TIMEOUT_SECONDS: Final = 10.0
_MAX_NAMED: Final = 3
"""Number of stuck incidents that are named; `audit reconcile` names all."""


def check_incidents(settings: Settings) -> Iterator[CheckResult]:
    """Yield whether an incident has no workflow any more; nothing where there is no log yet."""
    folder = get_log_folder(settings)
    if not has_chain_files(folder):
        return
    try:
        chains = JsonlAuditLog(folder, key=read_log_key(settings)).list_chains_to_settle()
    except (OSError, Refused, Unavailable) as error:
        yield CheckResult.fault(_THING, str(error))
        return
    ends = [chain[-1].entry for chain in chains if chain[-1].entry.gate is not Gate.CLOSED]
    try:
        running = asyncio.run(_list_running(settings)) if ends else set()
    except (BadConfigurationError, RuntimeError, RPCError, TimeoutError):
        found = f"{len(ends)} are open; without Temporal it is not known whether they run"
        yield CheckResult.note(_THING, found)
        return
    now = datetime.now(UTC)
    stuck = [chain[-1].entry for chain in chains if is_stuck(chain, running=running, now=now)]
    if stuck:
        yield _report(stuck)
    else:
        yield CheckResult.fine(_THING, f"{len(ends)} are open, and none is stuck")


def check_failing_work(settings: Settings) -> Iterator[CheckResult]:
    """Yield the incidents whose work fails again and again; nothing if Temporal does not answer."""
    try:
        rows = asyncio.run(_list_failing(settings))
    except (BadConfigurationError, RuntimeError, RPCError, TimeoutError):
        return  # the check of Temporal reports it
    remedy = f"remove the cause; `{format_command('incidents', '--stuck')}` lists them all"
    for row in rows[:_MAX_NAMED]:
        yield CheckResult.fault(
            _THING, f"stuck: {row.incident} of {row.model}: {row.stuck}", remedy
        )


async def _list_failing(settings: Settings) -> list[IncidentRow]:
    async with asyncio.timeout(_TIMEOUT_SECONDS):
        return await IncidentClient(await connect_temporal(settings)).list_stuck(only_open=True)


async def _list_running(settings: Settings) -> set[str]:
    async with asyncio.timeout(_TIMEOUT_SECONDS):
        client = await connect_temporal(settings)
        found = await TemporalIncidents(lambda: client).list_workflows()
    return {each.id for each in found if each.running}


def _report(stuck: list[AuditEntry]) -> CheckResult:
    names = [f"{end.incident} of {end.model} (at `{end.gate}`)" for end in stuck[:_MAX_NAMED]]
    more = f" and {len(stuck) - _MAX_NAMED} more" if len(stuck) > _MAX_NAMED else ""
    remedy = (
        "the sweep closes them within minutes if a worker and starter.py run;"
        f" `{format_command('audit', 'reconcile')}` lists them all"
    )
    found = f"stuck, open without a workflow: {', '.join(names)}{more}"
    return CheckResult.fault(_THING, found, remedy)
