"""Writes the audit log: an action's intent before it is carried out, its effect afterwards.

Only the incident's own workflows are answered. Everybody else who reaches Temporal could chain an
invented incident with the real key.
"""

from temporalio import activity

from activities.errors import translate_errors
from activities.own_workflow import list_incident_workflows, require_own_workflow
from trimtab.contracts import names
from trimtab.contracts.audit import (
    GENESIS,
    AuditAppend,
    AuditEntry,
    ChainEnd,
    Gate,
    RecordedEnd,
    TipSearch,
)
from trimtab.contracts.ports import AuditLog, Refused


class AuditActivities:
    """Activities over the audit log."""

    def __init__(self, *, log: AuditLog) -> None:
        self._log = log

    @activity.defn
    @translate_errors
    def record(self, request: AuditAppend) -> RecordedEnd:
        """Chain, write and fsync the entries, and return where the chain ends with them.

        A repeated request changes nothing. If other entries stand in their place, as after a reset
        of the workflow, the chain goes on behind them: it is longer than the workflow knew.

        Raises `Refused` for a remediation that no line authorises: somebody started it by hand.
        """
        first = request.entries[0]
        require_own_workflow(list_incident_workflows(first.model, first.incident), local=True)
        if activity.info().workflow_type == names.REMEDIATION:
            self._require_authority(first)
        end = self._log.append(request)
        return RecordedEnd(tip=end.tip, entries=end.entries)

    def _require_authority(self, entry: AuditEntry) -> None:
        gates = {line.entry.gate for line in self._log.lines(entry.incident, model=entry.model)}
        if Gate.AUTHORISED not in gates or Gate.CLOSED in gates:
            state = "is closed" if Gate.CLOSED in gates else "authorised no remediation"
            msg = f"incident {entry.incident!r} of {entry.model!r} {state}: {entry.gate} is refused"
            raise Refused(msg)

    @activity.defn
    @translate_errors
    def find_tip(self, search: TipSearch) -> ChainEnd:
        """Return where a chain ends after another workflow has written to it.

        Raises `Refused` if the chain no longer holds the tip that is searched from.
        """
        require_own_workflow(list_incident_workflows(search.model, search.incident), local=False)
        lines = self._log.lines(search.incident, model=search.model)
        hashes = [GENESIS, *(line.hash for line in lines)]
        if search.tip not in hashes:
            msg = f"the audit chain of {search.incident!r} no longer holds the hash {search.tip}"
            raise Refused(msg)
        return ChainEnd(entries=len(lines), tip=hashes[-1])
