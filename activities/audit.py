"""Writes the audit log: an action's intent before it is carried out, its effect afterwards."""

from temporalio import activity

from activities.errors import translate_errors
from trimtab.contracts.audit import GENESIS, AuditAppend, ChainEnd, TipSearch
from trimtab.contracts.ports import AuditLog, Refused


class AuditActivities:
    """Activities over the audit log."""

    def __init__(self, *, log: AuditLog) -> None:
        self._log = log

    @activity.defn
    @translate_errors
    def record(self, request: AuditAppend) -> str:
        """Chain, write and fsync the entries, and return the new tip.

        A repeated request changes nothing.
        """
        return self._log.append(request)

    @activity.defn
    @translate_errors
    def find_tip(self, search: TipSearch) -> ChainEnd:
        """Return where a chain ends after another workflow has written to it.

        Raises `Refused` if the chain no longer holds the tip that is searched from.
        """
        lines = self._log.lines(search.incident, model=search.model)
        hashes = [GENESIS, *(line.hash for line in lines)]
        if search.tip not in hashes:
            msg = f"the audit chain of {search.incident!r} no longer holds the hash {search.tip}"
            raise Refused(msg)
        return ChainEnd(entries=len(lines), tip=hashes[-1])
