"""Reads from the audit log how an incident ended whose workflow left no report."""

from trimtab.adapters.audit.audit_log import JsonlAuditLog
from trimtab.adapters.audit.log_reading import has_chain_files
from trimtab.cli.audit.audit_verification import get_log_folder, read_log_key
from trimtab.contracts.audit import AuditLine, Gate
from trimtab.contracts.ports import Refused, Unavailable
from trimtab.runtime.settings import Settings


def read_closed_chain(settings: Settings, incident: str, *, model: str) -> tuple[AuditLine, ...]:
    """Return an incident's lines up to its end.

    There are none if the chain is open or cannot be read, or if the audit log is not on this
    machine. `trimtab audit verify` says what is wrong with a log.
    """
    folder = get_log_folder(settings)
    if not has_chain_files(folder):
        return ()
    try:
        lines = JsonlAuditLog(folder, key=read_log_key(settings)).lines(incident, model=model)
    except (OSError, Refused, Unavailable):
        return ()
    ends = (number for number, line in enumerate(lines, 1) if line.entry.gate is Gate.CLOSED)
    return lines[: next(ends, 0)]
