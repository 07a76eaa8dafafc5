"""Writes the audit log: what is about to happen before it does, and what happened after."""

from temporalio import activity

from activities.errors import translated
from trimtab.contracts.audit import GENESIS, AuditAppend, ChainEnd, TipSearch
from trimtab.contracts.ports import AuditLog, Refused


class AuditActivities:
    """Activities over the audit log."""

    def __init__(self, *, log: AuditLog) -> None:
        self._log = log

    @activity.defn
    @translated
    def record(self, request: AuditAppend) -> str:
        """Chain, write and fsync the entries; the new tip. The same request changes nothing."""
        return self._log.append(request)

    @activity.defn
    @translated
    def find_tip(self, search: TipSearch) -> ChainEnd:
        """Where a chain ends that another workflow wrote to and did not tell of."""
        lines = self._log.lines(search.incident, model=search.model)
        hashes = [GENESIS, *(line.hash for line in lines)]
        if search.tip not in hashes:
            msg = f"the chain of {search.incident!r} no longer holds the hash {search.tip}"
            raise Refused(msg)
        return ChainEnd(entries=len(lines), tip=hashes[-1])
