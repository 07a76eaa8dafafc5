"""Verifies a deployment's audit log against what its model registry recorded; changes nothing."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from trimtab.adapters.audit.audit_log import load_audit_key
from trimtab.adapters.audit.audit_verification import verify as verify_chains
from trimtab.cli.registry_access import find_registry, open_registry
from trimtab.contracts.audit import ChainStatus
from trimtab.contracts.ports import Refused
from trimtab.contracts.redaction import redact_passwords
from trimtab.runtime.settings import Settings


@dataclass(frozen=True)
class LogVerification:
    """The state of every chain of a log."""

    folder: Path
    statuses: tuple[ChainStatus, ...]
    compared_with: str | None
    """Address, without a password, of the registry whose records were compared with; None where
    there is none."""

    @property
    def valid(self) -> bool:
        """Whether every chain is valid."""
        return all(status.valid for status in self.statuses)

    def select_incident(self, incident: str) -> "LogVerification":
        """Return the same verification with this incident's chains only."""
        kept = tuple(status for status in self.statuses if status.incident == incident)
        return replace(self, statuses=kept)


def verify_deployment(settings: Settings) -> LogVerification:
    """Verify the whole log against the registry's records.

    Raises `Refused` when there is a log but no key, `Unavailable` when the registry does not
    answer.
    """
    folder = get_log_folder(settings)
    registry = find_registry(settings)
    tips = open_registry(settings).list_recorded_tips() if registry else ()
    compared_with = redact_passwords(registry) if registry else None
    if not tips and not any(folder.rglob("*.jsonl")):
        return LogVerification(folder=folder, statuses=(), compared_with=compared_with)
    statuses = verify_chains(folder, key=read_log_key(settings), tips=tips, now=datetime.now(UTC))
    return LogVerification(folder=folder, statuses=statuses, compared_with=compared_with)


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
