"""Finds incidents whose workflow is gone, closes their audit chains, and tells a person.

It takes no input and believes nothing but the log, Temporal and the registry, so it does no harm
whoever starts it. It moves no champion itself: where a change was never verified, it returns the
order to undo it, under the incident's own grant, for the workers that may write to the registry.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from pydantic import JsonValue
from temporalio import activity

from activities.errors import translate_errors
from policies.incident import build_intent_detail
from policies.reconciliation import Chain
from policies.settlement import (
    MAX_RESTORATIONS,
    Finding,
    build_undo_order,
    count_restorations,
    list_unreported,
    plan_settlement,
)
from policies.settlement_page import build_abandoned_report, build_settlement_request
from policies.workflow_reconciliation import STARTING_TIME
from trimtab.contracts import names
from trimtab.contracts.audit import SWEEPER, AuditAppend, Gate
from trimtab.contracts.incident import Ending
from trimtab.contracts.ports import (
    AbandonedChains,
    IncidentSearch,
    ModelRegistry,
    Notifier,
    Refused,
)
from trimtab.contracts.remediation import ActionOrder
from trimtab.contracts.settlement import (
    AbandonedIncident,
    Settlement,
    SettlementKind,
    SweepReport,
)


def _read_clock() -> datetime:
    return datetime.now(UTC)


class SweepActivities:
    """The activity of the schedule `sweep/incidents`."""

    def __init__(
        self,
        *,
        log: AbandonedChains,
        incidents: IncidentSearch,
        registry: ModelRegistry,
        notifier: Notifier,
        settle_after: timedelta = STARTING_TIME,
        clock: Callable[[], datetime] = _read_clock,
    ) -> None:
        self._log = log
        self._incidents = incidents
        self._registry = registry
        self._notifier = notifier
        self._settle_after = settle_after
        self._clock = clock
        self._remembered: set[str] = set()
        """Tips of abandoned chains that the registry knows of."""

    @activity.defn
    @translate_errors
    async def sweep_incidents(self) -> SweepReport:
        """Close what was abandoned, and keep the end of all chains in the registry."""
        chains = await asyncio.to_thread(self._log.list_chains_to_settle)
        open_chains = [chain for chain in chains if chain[-1].entry.gate is not Gate.CLOSED]
        settled = [await self._settle_if_possible(chain) for chain in open_chains]
        for chain in chains:
            if chain[-1].entry.gate is Gate.CLOSED:
                await asyncio.to_thread(self._remember, chain)
        heads = await asyncio.to_thread(self._keep_head)
        return SweepReport(
            open_chains=len(open_chains),
            abandoned=tuple(each for each in settled if isinstance(each, AbandonedIncident)),
            restorations=tuple(each for each in settled if isinstance(each, ActionOrder)),
            heads=heads,
        )

    async def _is_abandoned(self, chain: Chain) -> bool:
        """Return whether nobody will write to the chain any more.

        A workflow ends only after its last line is on disk. So the chain is read once more after
        the workflow was found not to run: if it has not grown meanwhile, it never will.
        """
        last = chain[-1]
        incident, model = last.entry.incident, last.entry.model
        if self._clock() - last.entry.at <= self._settle_after:
            return False
        if await self._incidents.is_running(
            names.build_drift_response_id(model, incident), names.build_remediation_id(model)
        ):
            return False
        lines = await asyncio.to_thread(self._log.lines, incident, model=model)
        return lines[-1].hash == last.hash

    async def _settle_if_possible(self, chain: Chain) -> AbandonedIncident | ActionOrder | None:
        """Settle one incident if it is abandoned; its failure must not keep the others waiting."""
        try:
            return await self._settle(chain) if await self._is_abandoned(chain) else None
        except Exception as error:  # noqa: BLE001 - the next sweep tries this one again
            incident = chain[-1].entry.incident
            activity.logger.error("incident_not_settled: %s: %s", incident, error)
            return None

    async def _settle(self, chain: Chain) -> AbandonedIncident | ActionOrder:
        """Close the chain, or first have the former champion restored, which a later sweep closes.

        The intent is on disk before the order is given, so that no sweep tries without end.
        """
        champion = await asyncio.to_thread(self._registry.champion, chain[-1].entry.model)
        settlement = plan_settlement(chain, champion=champion)
        unreported = list_unreported(chain, champion=champion)
        order = await self._find_undo_order(chain, settlement)
        if order is not None:
            findings = [*unreported, (Gate.INTENDED, build_intent_detail(order))]
            await asyncio.to_thread(self._append, chain, findings)
            return order
        return await asyncio.to_thread(self._close, chain, settlement, unreported)

    async def _find_undo_order(self, chain: Chain, settlement: Settlement) -> ActionOrder | None:
        if settlement.kind is not SettlementKind.RESTORE:
            return None
        if count_restorations(chain) >= MAX_RESTORATIONS:
            return None
        first = chain[0].entry
        workflow_id = names.build_drift_response_id(first.model, first.incident)
        request = await self._incidents.find_remediation(workflow_id)
        return build_undo_order(chain, settlement, request) if request is not None else None

    def _close(
        self, chain: Chain, settlement: Settlement, unreported: list[Finding]
    ) -> AbandonedIncident:
        """Tell a person, then close the chain: told twice is better than never."""
        last = chain[-1].entry
        request = build_settlement_request(chain, settlement, now=self._clock())
        self._notifier.notify(request)
        closing: dict[str, JsonValue] = {
            "ending": Ending.ABANDONED.value,
            "failure": f"the workflow was gone: {settlement.reason}",
            "settlement": settlement.model_dump(mode="json"),
        }
        self._append(chain, [*unreported, (Gate.CLOSED, closing)])
        self._remember(self._log.lines(last.incident, model=last.model))
        return AbandonedIncident(
            incident=last.incident,
            model=last.model,
            last_gate=last.gate.value,
            last_at=last.at,
            settlement=settlement,
        )

    def _append(self, chain: Chain, findings: list[Finding]) -> None:
        now = self._clock()
        entries = tuple(
            chain[-1].entry.model_copy(
                update={
                    "sequence": len(chain) + offset,
                    "gate": gate,
                    "at": now,
                    "actor": SWEEPER,
                    "detail": detail,
                }
            )
            for offset, (gate, detail) in enumerate(findings)
        )
        self._log.append(AuditAppend(entries=entries, tip=chain[-1].hash))

    def _remember(self, chain: Chain) -> None:
        """Record an abandoned incident in the registry, also if an earlier sweep died before it."""
        tip = chain[-1].hash
        if tip in self._remembered:
            return
        try:
            self._registry.record_incident(build_abandoned_report(chain))
        except Refused as refusal:  # it was closed before, and then reset: that record stands
            activity.logger.warning("abandoned_incident_not_recorded: %s", refusal)
        self._remembered.add(tip)

    def _keep_head(self) -> int:
        head = self._log.update_heads(at=self._clock())
        if head.entries:
            self._registry.keep_audit_head(head)
        return head.entries
