"""Runs `trimtab approve` and `trimtab reject`: signs an answer and sends it with the update."""

import asyncio
import getpass
import sys
from datetime import UTC, datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import ValidationError
from rich.console import Console

from policies.approval_signature import sign_decision
from trimtab.adapters.approver_key import load_approver_key, locate_approver_key
from trimtab.adapters.incident_client import open_incidents
from trimtab.cli.console import open_console, print_unbroken
from trimtab.cli.errors import ExitCode
from trimtab.cli.progress import show_progress_when_slow
from trimtab.contracts.approval import Choice, HumanDecision
from trimtab.contracts.approvers import ApprovalTerms
from trimtab.contracts.incident import IncidentView, Stage
from trimtab.contracts.ports import Refused, Unavailable
from trimtab.contracts.validation_errors import format_validation_errors
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.local_user import get_local_user
from trimtab.runtime.paths import format_command
from trimtab.runtime.settings import Settings, load_settings


def run_answer(
    incident: str, choice: str, *, reason: str, plan: str | None, name: str | None
) -> ExitCode:
    """Send the answer, and print what it does.

    Raises `Refused` if the answer does not count, `IncidentNotFoundError`, `ApproverKeyError`, and
    `Unavailable` where Temporal or its workers do not answer.
    """
    settings = load_settings()
    approver = name or settings.approver.name or get_local_user()
    key = _load_key(settings)
    draft = _build_draft(approver, choice, reason)
    with show_progress_when_slow("waiting for a worker"):
        note = asyncio.run(_answer(settings, incident, plan=plan, key=key, draft=draft))
    _print_receipt(open_console(), note, approver=approver, is_signed=key is not None)
    return ExitCode.OK


def _load_key(settings: Settings) -> Ed25519PrivateKey | None:
    """Return the approver's key; None if none is configured and the usual file does not exist."""
    path = locate_approver_key(settings)
    if settings.approver.key is None and not path.exists():
        return None
    asks = getpass.getpass if sys.stdin is not None and sys.stdin.isatty() else None
    return load_approver_key(path, ask_passphrase=asks)


def _build_draft(approver: str, choice: str, reason: str) -> HumanDecision:
    try:
        return HumanDecision(
            plan_hash="", approver=approver, decision=Choice(choice), reason=reason
        )
    except ValidationError as error:
        raise BadConfigurationError(format_validation_errors(error)) from None


async def _answer(
    settings: Settings,
    incident: str,
    *,
    plan: str | None,
    key: Ed25519PrivateKey | None,
    draft: HumanDecision,
) -> str:
    async with open_incidents(settings) as incidents:
        row = await incidents.find(incident, only_open=True)
        try:
            view = await incidents.read_view(row)
        except Unavailable as error:
            msg = f"your answer was not sent, and is not recorded: {error}"
            raise Unavailable(msg) from error
        plan_hash = _check_question(view, plan)
        _check_approver(draft.approver, view.terms)
        if view.terms and view.terms.require_signature and key is None:
            make = format_command("approvers", "new", draft.approver)
            fault = f"{locate_approver_key(settings)}: is not there, and the policy requires a"
            raise BadConfigurationError([f"{fault} signature: run `{make}`"])
        decision = draft.model_copy(update={"plan_hash": plan_hash})
        if key is not None:
            decision = sign_decision(
                decision,
                incident=view.event_id,
                model=view.model,
                key=key,
                signed_at=datetime.now(UTC),
            )
        return (await incidents.answer(row, decision)).note


def _check_question(view: IncidentView, plan: str | None) -> str:
    """Return the hash of the plan that is asked about; raise `Refused` if it is another one."""
    if view.plan_hash is None or view.stage is not Stage.WAITING:
        msg = f"{view.event_id} does not wait for a person: it is {view.stage.replace('_', ' ')}"
        raise Refused(msg)
    if plan is not None and not (plan and view.plan_hash.startswith(plan)):
        msg = f"{view.event_id} asks about plan {view.plan_hash:.12}, not about {plan!r}"
        raise Refused(msg)
    return view.plan_hash


def _check_approver(name: str, terms: ApprovalTerms | None) -> None:
    """Raise `Refused` if only listed names count and this is none of them."""
    if terms and terms.strict and terms.approvers and name not in terms.approvers:
        known = ", ".join(sorted(terms.approvers))
        msg = (
            f"{name!r} is not among the approvers: {known}: answer in your listed name with"
            " `--as NAME`, or set TRIMTAB_APPROVER__NAME"
        )
        raise Refused(msg)


def _print_receipt(console: Console, note: str, *, approver: str, is_signed: bool) -> None:
    how = "signed" if is_signed else "not signed"
    print_unbroken(console, f"Answered as {approver} ({how}): {note}.")
