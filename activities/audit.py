"""Writes the audit log: what is about to happen before it does, and what happened after."""

from temporalio import activity

from activities.errors import translated
from contracts.audit import AuditAppend
from contracts.ports import AuditLog


class AuditActivities:
    """Activities over the audit log."""

    def __init__(self, *, log: AuditLog) -> None:
        self._log = log

    @activity.defn
    @translated
    def record(self, request: AuditAppend) -> str:
        """Chain, write and fsync the entries; the new tip. The same request changes nothing."""
        return self._log.append(request)
