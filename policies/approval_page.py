"""Renders the page that a person on call decides from: one screen of plain text."""

import json
import shlex
import textwrap
from datetime import UTC, datetime
from typing import Final

from policies.incident import Investigation
from trimtab.contracts.approval import Choice, TemporalCommand
from trimtab.contracts.base import clean_text
from trimtab.contracts.decision import Decision, Verdict
from trimtab.contracts.evidence import EvidenceSource
from trimtab.contracts.evidence_ids import build_drift_id

_WIDTH: Final = 78
"""Columns of a wrapped line: a terminal of 80 columns does not wrap it again."""
_MAX_EVIDENCE: Final = 8
"""Number of evidence items on the page."""
_MAX_CONCERNS: Final = 3
_MARGIN_NOTE: Final = "(behind | stand words of the event and of the analyst)"
_SHELL_USER: Final = "$USER"


def render_approval_page(
    case: Investigation, decision: Decision, *, workflow_id: str, deadline: datetime
) -> str:
    """Return what happened, what is proposed, why a person is asked, and how to answer."""
    return "\n\n".join(
        [
            _render_event(case),
            _render_evidence(case),
            _render_proposal(case),
            _render_reasons(decision),
            _render_answer(case, decision, workflow_id=workflow_id, deadline=deadline),
        ]
    )


def format_signal_command(
    workflow_id: str,
    plan_hash: str,
    *,
    command: TemporalCommand,
    approver: str | None = None,
    choice: Choice = Choice.APPROVE,
) -> str:
    """Return the line of the `temporal` command that answers, for a POSIX shell.

    Without an approver, the shell fills in $USER. Without an address, the profile of the person who
    runs the line names the server.
    """
    answer = {
        "plan_hash": plan_hash,
        "approver": approver or _SHELL_USER,
        "decision": choice.value,
        "reason": "",
    }
    words = [shlex.quote(command.program), "workflow", "signal"]
    if command.address:
        words += ["--address", shlex.quote(command.address)]
    if command.namespace != TemporalCommand().namespace:
        words += ["--namespace", shlex.quote(command.namespace)]
    words += ["--workflow-id", shlex.quote(workflow_id), "--name", "human_decision"]
    payload = shlex.quote(json.dumps(answer)).replace(_SHELL_USER, "'\"$USER\"'")
    return " ".join([*words, "--input", payload])


def _render_event(case: Investigation) -> str:
    event, spec = case.incident.event, case.incident.spec
    current = event.data.current
    names = (clean_text(feature.name) for feature in event.data.drifted)
    drifted = ", ".join(names) or "no column"
    window = f"{_format_minute(current.start)} to {_format_minute(current.end)}"
    return "\n".join(
        [
            f"MODEL     {event.subject}   tier {spec.tier}   owner {spec.owner or '(not named)'}",
            f"WINDOW    {window}, {current.rows} rows",
            _fill(f"DRIFT     severity {event.data.severity}; drifted: {drifted}", "  |   "),
            _fill(f"TRACE     correlation id {event.correlationid}", "  |   "),
        ]
    )


def _render_evidence(case: Investigation) -> str:
    """Render quality faults, performance and drifted columns, in the order of the evidence."""
    if case.pack is None:
        return "EVIDENCE  none: it could not be collected"
    drifted = {build_drift_id(feature.name) for feature in case.incident.event.data.drifted}
    shown = [
        item
        for item in case.pack.items
        if item.source in (EvidenceSource.QUALITY, EvidenceSource.PERFORMANCE) or item.id in drifted
    ]
    lines = [_format_quotation(item.statement) for item in shown[:_MAX_EVIDENCE]]
    return "\n".join([f"EVIDENCE  {_MARGIN_NOTE}", *lines])


def _render_proposal(case: Investigation) -> str:
    failure = []
    if case.failure:
        failure = [_format_quotation(f"The deliberation failed: {case.failure}")]
    if case.deliberation is None:
        return "\n".join(["PROPOSAL  none", *failure])
    deliberation, plan = case.deliberation, case.deliberation.plan
    target = f" to version {plan.target_version}" if plan.target_version else ""
    lines = [
        f"PROPOSAL  {plan.action}{target}, {plan.cost} {plan.currency}, by {deliberation.analyst}",
        _format_quotation(f"Cause: {plan.cause}. {deliberation.root_cause.explanation}"),
        *(
            _format_quotation(f"Benefit: {option.benefit} Risk: {option.risk}")
            for option in plan.options
            if option.action is plan.action
        ),
        *(
            _format_quotation(f"Concern: {concern}")
            for concern in deliberation.review.concerns[:_MAX_CONCERNS]
        ),
        *failure,
    ]
    if case.confidence is not None:
        parts = "; ".join(f"{part.name} {part.value:.2f}" for part in case.confidence.parts)
        lines.append(_format_bullet(f"Confidence {case.confidence.value:.2f} ({parts})"))
    return "\n".join(lines)


def _render_reasons(decision: Decision) -> str:
    reasons = [
        _format_bullet(f"{result.rule}: {result.reason}")
        for result in decision.results
        if result.verdict is Verdict.ESCALATE
    ]
    return "\n".join(["WHY YOU", *reasons])


def _render_answer(
    case: Investigation, decision: Decision, *, workflow_id: str, deadline: datetime
) -> str:
    approval = "the plan is carried out and verified"
    if case.deliberation is None:
        approval = "you take over the incident"
    return "\n".join(
        [
            f"ANSWER    by {_format_minute(deadline)}; without an answer nothing is done",
            _format_bullet(f"approve: {approval}; reject: nothing is done"),
            format_signal_command(
                workflow_id, decision.plan_hash, command=case.incident.answer_command
            ),
        ]
    )


def _format_minute(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _format_bullet(text: str) -> str:
    return _fill(clean_text(text), "    ", first="  - ")


def _format_quotation(text: str) -> str:
    """Return words that others may have written: every line of them stands behind a margin."""
    return _fill(clean_text(text), "  |   ", first="  | - ")


def _fill(text: str, rest: str, *, first: str = "") -> str:
    """Return the text wrapped, its further lines behind `rest`."""
    return textwrap.fill(
        text, _WIDTH, initial_indent=first, subsequent_indent=rest,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
