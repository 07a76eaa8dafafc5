"""Examines a deployment's audit log against what its model registry recorded; changes nothing."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:  # importing the registry takes seconds, and `trimtab --help` needs none of it
    from trimtab.contracts.audit import ChainStatus, RecordedTip
    from trimtab.runtime.settings import Settings

_SQLITE: Final = "sqlite:///"


@dataclass(frozen=True)
class Examination:
    """What verifying the whole log found."""

    folder: Path
    statuses: tuple["ChainStatus", ...]
    compared_with: str | None
    """Address of the registry whose records were compared with; None where there is none."""

    @property
    def valid(self) -> bool:
        """Whether every chain is."""
        return all(status.valid for status in self.statuses)


def examine(settings: "Settings") -> Examination:
    """Verify the whole log against the registry's records; changes nothing.

    Raises `Refused` when there is a log but no key, `Unavailable` when the registry is away.
    """
    from trimtab.adapters.audit.audit_verification import verify as verify_chains  # noqa: PLC0415 - see above

    folder = log_folder(settings)
    compared_with = _registry(settings)
    tips = _recorded(settings) if compared_with else ()
    if not tips and not any(folder.rglob("*.jsonl")):
        return Examination(folder=folder, statuses=(), compared_with=compared_with)
    statuses = verify_chains(folder, key=log_key(settings), tips=tips, now=datetime.now(UTC))
    return Examination(folder=folder, statuses=statuses, compared_with=compared_with)


def log_folder(settings: "Settings") -> Path:
    """Where the log lies."""
    return settings.audit.directory or settings.home.absolute() / "audit"


def log_key(settings: "Settings") -> bytes:
    """The key that is there: a new one would verify nothing."""
    from trimtab.adapters.audit.audit_log import load_audit_key  # noqa: PLC0415 - see above
    from trimtab.contracts.ports import Refused  # noqa: PLC0415 - see above

    path = settings.audit.key or settings.home.absolute() / "keys" / "audit.key"
    if not path.exists():
        msg = f"audit key {path} is missing: without the key it was written with, no log verifies"
        raise Refused(msg)
    return load_audit_key(path)


def _registry(settings: "Settings") -> str | None:
    """Where the registry is; None for a database that was never made."""
    uri = settings.tracking_uri
    if uri.startswith(_SQLITE) and not Path(uri.removeprefix(_SQLITE)).exists():
        return None
    return uri


def _recorded(settings: "Settings") -> "tuple[RecordedTip, ...]":
    from trimtab.adapters.registry.model_registry import MlflowRegistry  # noqa: PLC0415 - takes three seconds

    return MlflowRegistry(settings=settings).list_recorded_tips()
