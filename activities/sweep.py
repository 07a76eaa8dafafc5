"""Finds incidents whose workflow is gone, closes their audit chains, and tells a person.

It takes no input and believes nothing but the log, Temporal and the registry, so it does no harm
whoever starts it. It moves no champion: it says which version is to serve again, and who must act.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from pydantic import JsonValue
from temporalio import activity

from activities.errors import translate_errors
from policies.reconciliation import STARTING_TIME, Chain
from policies.settlement import find_unreported_effect, plan_settlement
from policies.settlement_page import build_abandoned_report, build_settlement_request
from trimtab.contracts import names
from trimtab.contracts.audit import SWEEPER, AuditAppend, AuditEntry, Gate
from trimtab.contracts.incident import Ending
from trimtab.contracts.model import ModelVersion
from trimtab.contracts.ports import (
    AbandonedChains,
    IncidentSearch,
    ModelRegistry,
    Notifier,
    Refused,
)
from trimtab.contracts.settlement import AbandonedIncident, Settlement, SweepReport


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
        settled = [
            await self._settle_if_possible(chain)
            for chain in open_chains
            if await self._is_abandoned(chain)
        ]
        for chain in chains:
            if chain[-1].entry.gate is Gate.CLOSED:
                await asyncio.to_thread(self._remember, chain)
        heads = await asyncio.to_thread(self._keep_head)
        abandoned = tuple(each for each in settled if each is not None)
        return SweepReport(open_chains=len(open_chains), abandoned=abandoned, heads=heads)

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

    async def _settle_if_possible(self, chain: Chain) -> AbandonedIncident | None:
        """Settle one incident; a refusal must not keep the others waiting."""
        try:
            return await asyncio.to_thread(self._settle, chain)
        except Refused as refusal:
            incident = chain[-1].entry.incident
            activity.logger.error("incident_not_settled: %s: %s", incident, refusal)
            return None

    def _settle(self, chain: Chain) -> AbandonedIncident:
        """Tell a person, then close the chain: told twice is better than never."""
        last = chain[-1].entry
        champion = self._registry.champion(last.model)
        settlement = plan_settlement(chain, champion=champion)
        now = self._clock()
        self._notifier.notify(build_settlement_request(chain, settlement, now=now))
        entries = self._build_entries(chain, settlement, champion, now)
        self._log.append(AuditAppend(entries=entries, tip=chain[-1].hash))
        self._remember(self._log.lines(last.incident, model=last.model))
        return AbandonedIncident(
            incident=last.incident,
            model=last.model,
            last_gate=last.gate.value,
            last_at=last.at,
            settlement=settlement,
        )

    def _build_entries(
        self, chain: Chain, settlement: Settlement, champion: ModelVersion | None, now: datetime
    ) -> tuple[AuditEntry, ...]:
        last = chain[-1].entry
        details: list[tuple[Gate, dict[str, JsonValue]]] = []
        intent = find_unreported_effect(chain, champion=champion)
        if intent is not None and champion is not None:
            found: dict[str, JsonValue] = {
                "step": intent.detail.get("step"),
                "key": intent.detail.get("key"),
                "model": last.model,
                "version": champion.version,
                "previous_version": intent.detail.get("champion_version"),
                "applied": True,
                "detail": "found in the registry; the workflow did not report it",
            }
            details.append((Gate.EFFECTED, found))
        closing: dict[str, JsonValue] = {
            "ending": Ending.ABANDONED.value,
            "failure": f"the workflow was gone: {settlement.reason}",
            "settlement": settlement.model_dump(mode="json"),
        }
        details.append((Gate.CLOSED, closing))
        return tuple(
            last.model_copy(
                update={
                    "sequence": len(chain) + offset,
                    "gate": gate,
                    "at": now,
                    "actor": SWEEPER,
                    "detail": detail,
                }
            )
            for offset, (gate, detail) in enumerate(details)
        )

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
