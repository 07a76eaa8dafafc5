"""The longest attack without a workflow of ours: an insider's signed event, and nothing but calls.

Measurements are asked for and come sealed, the agents deliberate honestly, and the audit lines are
asked for under the incident's own workflow name and id. What remains is to have a grant minted, and
to promote without any verification.
"""

import json
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from attacked_deployment import Deployment
from attacked_models import find_situation, list_models, name_model
from hostile_clients import call_as_stranger
from incident_batches import KindResult
from pydantic import BaseModel, JsonValue
from strangers import StrangerCall

from policies.evidence import compose_evidence
from policies.incident import build_action_order, build_opening_detail
from policies.knowledge_query import describe_finding
from trimtab.contracts import names
from trimtab.contracts.audit import GENESIS
from trimtab.contracts.authorisation import AuthorisationRequest
from trimtab.contracts.base import compute_digest
from trimtab.contracts.decision import Decision, Verdict
from trimtab.contracts.deliberation import Deliberation, DeliberationInput
from trimtab.contracts.evidence import (
    EvidencePack,
    MeasuredVersions,
    Measurement,
    Recall,
    RecalledDocuments,
    RegistryFacts,
)
from trimtab.contracts.incident import IncidentInput
from trimtab.contracts.remediation import ActionOrder, Step, compute_effect_key

_SHOWN: Final = 160
"""Characters of an answer that are shown."""


class _RefusedCallError(Exception):
    """An activity refused the stranger."""


async def act_without_workflow(deployment: Deployment, result: KindResult, group: str) -> None:
    """Collect evidence, have it chained and authorised, retrain and promote, all by calls."""
    model = name_model("loss", group)
    event = deployment.signer.sign(deployment.events.build(model, "direct"))
    incident = deployment.build_input(event)
    result.attempts += 1
    try:
        await _act(deployment, incident)
    except _RefusedCallError as refusal:
        result.endings[str(refusal)] += 1
    else:
        result.endings["carried out"] += 1


async def _act(deployment: Deployment, incident: IncidentInput) -> None:
    event = incident.event
    registry = RegistryFacts.model_validate(
        await _call(deployment, incident, "read_registry", event.subject)
    )
    versions = [str(number + 1) for number in range(_count_versions(event.subject))]
    measured = MeasuredVersions.model_validate(
        await _call(
            deployment,
            incident,
            "measure_versions",
            Measurement(
                spec=incident.spec,
                versions=tuple(versions),
                as_of=datetime.now(UTC),
                event_id=event.id,
            ),
        )
    )
    recalled = RecalledDocuments.model_validate(
        await _call(
            deployment,
            incident,
            "recall_similar",
            Recall(query=describe_finding(event.data), event_id=event.id),
        )
    )
    pack = compose_evidence(
        event.data, registry, measured.metrics, recalled.documents, now=datetime.now(UTC)
    )
    deliberation = await _deliberate(deployment, incident, pack)
    plan_hash = compute_digest(deliberation.plan)
    await _record(deployment, incident, deliberation, plan_hash=plan_hash)
    request = AuthorisationRequest(
        incident=incident,
        measured=measured,
        recalled=recalled,
        deliberation=deliberation,
        plan_hash=plan_hash,
    )
    grant = str(await _call(deployment, incident, "authorise", request))
    decision = _build_decision(incident, plan_hash)
    order = build_action_order(incident, deliberation.plan, decision, grant)
    made = await _order(deployment, incident, order, Step.RETRAIN, "retrain_challenger")
    promoted = order.model_copy(update={"challenger_version": made["version"]})
    await _order(deployment, incident, promoted, Step.PROMOTE, "promote_challenger")


def _count_versions(model: str) -> int:
    return len(find_situation(list_models()[model]).versions)


async def _deliberate(
    deployment: Deployment, incident: IncidentInput, pack: EvidencePack
) -> Deliberation:
    deliberation: Deliberation = await deployment.client.execute_workflow(
        names.DELIBERATION,
        DeliberationInput(
            event=incident.event, spec=incident.spec, pack=pack, analyst=incident.analyst
        ),
        id=f"stranger/{uuid4().hex}",
        task_queue=names.MAIN_QUEUE,
        result_type=Deliberation,
    )
    return deliberation


async def _record(
    deployment: Deployment,
    incident: IncidentInput,
    deliberation: Deliberation,
    *,
    plan_hash: str,
) -> None:
    """Have the audit lines written that the mint looks for."""
    event = incident.event
    details: tuple[tuple[str, dict[str, JsonValue]], ...] = (
        ("opened", build_opening_detail(incident)),
        ("deliberated", {"deliberation_hash": compute_digest(deliberation), "failure": ""}),
        ("decided", {"plan_hash": plan_hash, "verdict": Verdict.EXECUTE.value}),
    )
    entries: list[JsonValue] = [
        {
            "incident": event.id,
            "model": event.subject,
            "correlation_id": event.correlationid,
            "sequence": number,
            "gate": gate,
            "at": datetime.now(UTC).isoformat(),
            "actor": "trimtab",
            "detail": detail,
        }
        for number, (gate, detail) in enumerate(details)
    ]
    await _call(deployment, incident, "record", {"entries": entries, "tip": GENESIS})


def _build_decision(incident: IncidentInput, plan_hash: str) -> Decision:
    return Decision(
        verdict=Verdict.EXECUTE,
        rule="all_rules",
        reason="",
        results=(),
        plan_hash=plan_hash,
        policy_hash=incident.policy_hash,
        decided_at=datetime.now(UTC),
    )


async def _order(
    deployment: Deployment, incident: IncidentInput, order: ActionOrder, step: Step, method: str
) -> dict[str, Any]:
    key = compute_effect_key(order.event_id, order.plan_hash, step)
    given = order.model_copy(
        update={
            "step": step.value,
            "key": key,
            "verification_margin": incident.limits.verification_margin,
        }
    )
    made: dict[str, Any] = await _call(
        deployment, incident, method, given, queue=names.ACTIONS_QUEUE
    )
    return made


async def _call(
    deployment: Deployment,
    incident: IncidentInput,
    activity: str,
    argument: BaseModel | JsonValue,
    *,
    queue: str = names.MAIN_QUEUE,
) -> Any:  # noqa: ANN401 - JSON of an activity
    """Call one activity under the name and id of the incident's own workflow."""
    plain = argument.model_dump(mode="json") if isinstance(argument, BaseModel) else argument
    event = incident.event
    (answer,) = await call_as_stranger(
        deployment,
        [StrangerCall(activity=activity, argument=plain, queue=queue)],
        kind=names.DRIFT_RESPONSE,
        name=names.build_drift_response_id(event.subject, event.id),
    )
    if answer.startswith("refused"):
        msg = f"{activity}: {answer[:_SHOWN]}"
        raise _RefusedCallError(msg)
    return json.loads(answer)
