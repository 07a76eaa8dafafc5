"""Runs Trimtab's worker with gates switched off, for controls: `gateless_worker.py GATE …`.

An attack that fails against a gate proves something only if it succeeds without it. Nothing in the
product can switch a gate off: this process replaces functions of its own copy.
"""

import functools
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).parents[1]))  # where the worker's own modules are

from temporalio.worker import Worker

import activities.audit
import activities.authorisation
import activities.derivation
import activities.permission
import policies.claims
import policies.decision
import policies.incident
import worker
from policies.claims import CLAIM_RULES
from trimtab.adapters.event_keys import EventVerifier
from trimtab.adapters.evidence_seal import HmacEvidenceSeal
from trimtab.adapters.grants import JwtGuard
from trimtab.adapters.registry.freezes import FreezeTags
from trimtab.contracts.decision import PolicyQuestion, Verdict
from trimtab.contracts.names import QUEUES
from trimtab.contracts.remediation import Action, GrantClaims


def _drop_rules(*names: str) -> None:
    list_rules = policies.decision._rules  # noqa: SLF001 - this is what a control is
    kept = {name: rule for name, rule in list_rules().items() if name not in names}
    policies.decision._rules = lambda: kept  # noqa: SLF001


def _trust_claims() -> None:
    """Believe what an event says about window, champion and metric."""
    _drop_rules(*CLAIM_RULES)


def _trust_inaction() -> None:
    """Leave any loss to monitoring if the plan says so."""
    _drop_rules("inaction_confidence")

    def allow(question: PolicyQuestion) -> tuple[Verdict, str]:
        monitors = question.plan.action is Action.MONITOR
        return (Verdict.MONITOR if monitors else Verdict.EXECUTE), "the plan says so"

    policies.decision._rules()["monitoring_severity"] = allow  # noqa: SLF001 - as above


def _trust_rollbacks() -> None:
    """Roll back to any version."""
    import activities.remediation  # noqa: PLC0415 - only this control needs it
    import agents.records  # noqa: PLC0415

    _drop_rules("rollback_target")
    _replace(activities.remediation, "explain_unfit_target", lambda *_, **__: "")
    _replace(agents.records, "list_fit_targets", lambda pack, **_: tuple(pack.measured_metrics))


def _trust_callers() -> None:
    """Answer whoever calls: activities by tasks, workflows of any type."""
    _replace(activities.authorisation, "require_own_workflow", lambda *_, **__: None)
    _replace(activities.audit, "require_own_workflow", lambda *_, **__: None)


def _trust_the_caller_s_configuration() -> None:
    """Let the mint believe limits and specification of its caller."""

    def believe(sources: Any, presented: Any, _: object) -> object:  # noqa: ANN401 - as the mint's
        publisher = sources.publishers.find_publisher(presented.event)
        return presented.model_copy(update={"publisher": publisher})

    _replace(activities.derivation, "_find_incident", believe)


def _read_grant(_: object, token: str, *, expired_too: bool = False) -> GrantClaims:
    """Read a grant that nobody signed or encrypted."""
    del expired_too
    return GrantClaims.model_validate_json(token)


def _replace(where: object, name: str, what: object) -> None:
    assert hasattr(where, name), f"{where} has no {name!r}: the control would switch off nothing"
    setattr(where, name, what)


def _trust_signatures_of_people() -> None:
    import policies.approval  # noqa: PLC0415

    _replace(policies.approval, "is_signed_by", lambda *_, **__: True)


def _hand_out_tasks() -> None:
    """Leave tasks to whoever polls for them, as a worker without a free slot does.

    Temporal gives a task to the worker that asked for it, as long as that one has room.
    """
    patient = functools.partial(Worker, disable_eager_activity_execution=True)
    _replace(worker, "Worker", patient)


GATES: Final[Mapping[str, Callable[[], None]]] = {
    "eager tasks": _hand_out_tasks,  # no gate, but it keeps strangers from an idle worker's tasks
    "event rules": _trust_claims,
    "event signature": lambda: _replace(EventVerifier, "find_publisher", lambda *_: "trimtab"),
    "rules_agree": lambda: _drop_rules("rules_agree"),
    "inaction_confidence": _trust_inaction,
    "rollback target": _trust_rollbacks,
    "mint's derivation": _trust_the_caller_s_configuration,
    "plan's cost": lambda: _replace(activities.derivation, "explain_false_cost", lambda *_: ""),
    "budget": lambda: _drop_rules("budget"),
    "seals": lambda: _replace(HmacEvidenceSeal, "check", lambda *_: True),
    "answers' signatures": _trust_signatures_of_people,
    "local callers": _trust_callers,
    "grants": lambda: _replace(JwtGuard, "check", _read_grant),
    "freeze": lambda: _replace(FreezeTags, "find", lambda *_: None),
}
"""How each gate is switched off, by its name."""


if __name__ == "__main__":
    for gate in sys.argv[1:]:
        GATES[gate]()
    worker.main(queues=",".join(QUEUES))
