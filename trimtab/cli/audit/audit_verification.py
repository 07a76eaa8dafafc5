"""Verifies a deployment's audit log, and holds it against the registry and Temporal."""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from temporalio.service import RPCError

from trimtab.adapters.audit.audit_log import load_audit_key
from trimtab.adapters.audit.log_comparer import AuditLogComparer
from trimtab.adapters.audit.log_reading import has_chain_files
from trimtab.adapters.configuration_archive import locate_configuration_archive
from trimtab.adapters.temporal_incidents import TemporalIncidents
from trimtab.cli.registry_access import find_registry, open_registry
from trimtab.contracts.audit import ChainStatus
from trimtab.contracts.ports import Refused
from trimtab.contracts.reconciliation import Discrepancy, IncidentWorkflow
from trimtab.contracts.redaction import redact_passwords
from trimtab.runtime.errors import BadConfigurationError, NoTemporalAddressError
from trimtab.runtime.settings import Settings
from trimtab.runtime.temporal import connect_temporal, load_connect_config

_ANSWER_SECONDS: Final = 20.0
"""Time that Temporal has to list all incidents."""


@dataclass(frozen=True)
class LogVerification:
    """The state of every chain of a log, and where it disagrees with the world."""

    folder: Path
    statuses: tuple[ChainStatus, ...]
    compared_with: str | None
    """Address, without a password, of the registry whose records were compared with; None where
    there is none."""
    discrepancies: tuple[Discrepancy, ...] = ()
    temporal: str | None = None
    """Address of the Temporal server that was asked for incidents; None if none was."""
    without_temporal: str = ""
    """Why it was not asked."""

    @property
    def valid(self) -> bool:
        """Whether every chain is valid, and nothing grave disagrees."""
        grave = any(each.grave for each in self.discrepancies)
        return not grave and all(status.valid for status in self.statuses)

    def select_incident(self, incident: str) -> "LogVerification":
        """Return the same verification with what is about this incident only."""
        statuses = tuple(each for each in self.statuses if each.incident == incident)
        found = tuple(each for each in self.discrepancies if each.incident == incident)
        return replace(self, statuses=statuses, discrepancies=found)


def verify_deployment(settings: Settings) -> LogVerification:
    """Verify the whole log, and hold it against the registry and Temporal.

    Raises `Refused` when there is a log but no key, `Unavailable` when the registry does not
    answer.
    """
    folder = get_log_folder(settings)
    address = find_registry(settings)
    compared_with = redact_passwords(address) if address else None
    registry = open_registry(settings) if address else None
    tips = registry.list_recorded_tips() if registry else ()
    head = registry.read_audit_head() if registry else None
    if not tips and head is None and not has_chain_files(folder):
        return LogVerification(folder=folder, statuses=(), compared_with=compared_with)
    comparer = AuditLogComparer(
        folder,
        key=read_log_key(settings),
        registry=registry,
        configuration=locate_configuration_archive(settings.home.absolute()),
    )
    workflows, address, reason = _ask_temporal(settings)
    found = comparer.compare(workflows, now=datetime.now(UTC))
    if found.discrepancies:
        workflows, address, reason = _ask_temporal(settings)
        found = comparer.compare(workflows, now=datetime.now(UTC)).confirm(found)
    return LogVerification(
        folder=folder,
        statuses=found.statuses,
        compared_with=compared_with,
        discrepancies=found.discrepancies,
        temporal=address,
        without_temporal=reason,
    )


def get_log_folder(settings: Settings) -> Path:
    """Return the folder of the log; it need not exist."""
    return settings.audit.directory or settings.home.absolute() / "audit"


def read_log_key(settings: Settings) -> bytes:
    """Return the key that the log was written with; raise `Refused` where it is missing.

    No new key is made: it would verify nothing.
    """
    path = settings.audit.key or settings.home.absolute() / "keys" / "audit.key"
    if not path.exists():
        msg = f"audit key {path} is missing: without the key it was written with, no log verifies"
        raise Refused(msg)
    return load_audit_key(path)


def _ask_temporal(
    settings: Settings,
) -> tuple[tuple[IncidentWorkflow, ...] | None, str | None, str]:
    """Return the incidents that Temporal knows and its address, or why it was not asked."""
    try:
        address = load_connect_config(settings)["target_host"]
        return asyncio.run(_list_workflows(settings)), address, ""
    except NoTemporalAddressError:
        return None, None, "no Temporal is configured, and none runs"
    except (BadConfigurationError, RuntimeError, RPCError, TimeoutError) as error:
        return None, None, f"Temporal does not answer: {str(error) or 'no answer'}"


async def _list_workflows(settings: Settings) -> tuple[IncidentWorkflow, ...]:
    async with asyncio.timeout(_ANSWER_SECONDS):
        client = await connect_temporal(settings)
        return await TemporalIncidents(lambda: client).list_workflows()
