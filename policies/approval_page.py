"""Renders the page that a person on call decides from: one screen of plain text."""

import json
import shlex
import textwrap
from datetime import UTC, datetime
from typing import Final

from policies.incident import Investigation
from policies.promotion_gate import format_interval
from trimtab.contracts.approval import Choice, TemporalCommand
from trimtab.contracts.approvers import ApprovalTerms
from trimtab.contracts.base import clean_text
from trimtab.contracts.decision import Decision, Verdict
from trimtab.contracts.evidence import ChallengerPreview, EvidenceSource
from trimtab.contracts.evidence_ids import SIGNAL_IDS, build_drift_id
from trimtab.contracts.model import GateOutcome

_WIDTH: Final = 78
"""Columns of a wrapped line: a terminal of 80 columns does not wrap it again."""
_MAX_EVIDENCE: Final = 8
"""Number of evidence items on the page."""
_MAX_CONCERNS: Final = 3
_MAX_NAMES: Final = 12
"""Number of approvers on the page."""
_MARGIN_NOTE: Final = "(behind | stand words of the event and of the analyst)"
_SHELL_USER: Final = "$(id -un)"
_SHOWN_HASH_LENGTH: Final = 12
"""Digits of the plan's hash in commands that people copy."""


def render_approval_page(
    case: Investigation, decision: Decision, *, workflow_id: str, terms: ApprovalTerms
) -> str:
    """Return what happened, what is proposed, why a person is asked, and how to answer."""
    return "\n\n".join(
        [
            _render_event(case),
            _render_evidence(case),
            _render_proposal(case),
            _render_reasons(decision),
            _render_answer(case, workflow_id=workflow_id, terms=terms),
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

    Without an approver, the shell fills in the name of its user. Without an address, the profile of
    the person who runs the line names the server.
    """
    words = _list_signal_words(workflow_id, command)
    answer = json.dumps(_build_answer(plan_hash, approver=approver, choice=choice))
    return " ".join([*words, "--input", _quote_answer(answer)])


def format_signal_lines(workflow_id: str, plan_hash: str, *, command: TemporalCommand) -> list[str]:
    """Return the command that approves in short lines, which a shell reads as one command.

    A line is longer than a terminal only where an id or a path is.
    """
    program, *words = _list_signal_words(workflow_id, command)
    options = [" ".join(words[:2])]
    options += [f"{name} {value}" for name, value in zip(words[2::2], words[3::2], strict=True)]
    answer = json.dumps(_build_answer(plan_hash, approver=None, choice=Choice.APPROVE), indent=0)
    *before, last = _join_words([program, *options])
    return [*before, f"{last} --input " + _quote_answer(answer.replace('": "', '":"'))]


def _list_signal_words(workflow_id: str, command: TemporalCommand) -> list[str]:
    words = [shlex.quote(command.program), "workflow", "signal"]
    if command.address:
        words += ["--address", shlex.quote(command.address)]
    if command.namespace != TemporalCommand().namespace:
        words += ["--namespace", shlex.quote(command.namespace)]
    return [*words, "--workflow-id", shlex.quote(workflow_id), "--name", "human_decision"]


def _list_answer_words(incident: str, plan_hash: str, choice: Choice, *, program: str) -> list[str]:
    verb = f"{shlex.quote(program)} {choice}"
    return [verb, shlex.quote(incident), f"--plan {plan_hash[:_SHOWN_HASH_LENGTH]}"]


def _build_answer(plan_hash: str, *, approver: str | None, choice: Choice) -> dict[str, str]:
    return {
        "plan_hash": plan_hash,
        "approver": approver or _SHELL_USER,
        "decision": choice.value,
        "reason": "",
    }


def _quote_answer(answer: str) -> str:
    """Quote for a POSIX shell, which fills in the name of the user."""
    return shlex.quote(answer).replace(_SHELL_USER, f"'\"{_SHELL_USER}\"'")


def _join_words(words: list[str]) -> list[str]:
    """Return the words as lines of a terminal's width, joined by backslashes."""
    lines = [words[0]]
    for word in words[1:]:
        if len(lines[-1]) + len(word) < _WIDTH:
            lines[-1] += f" {word}"
        else:
            lines[-1] += " \\"
            lines.append(f"  {word}")
    return lines


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
    """Render quality faults, performance and drifted columns, in the order of the evidence.

    Measurements that only tell causes apart are shown where the analyst cites them.
    """
    if case.pack is None:
        return "EVIDENCE  none: it could not be collected"
    drifted = {build_drift_id(feature.name) for feature in case.incident.event.data.drifted}
    cited = _list_cited_ids(case)
    shown = [
        item
        for item in case.pack.items
        if (item.id in cited or item.id not in SIGNAL_IDS)
        and (
            item.source in (EvidenceSource.QUALITY, EvidenceSource.PERFORMANCE)
            or item.id in drifted | cited
        )
    ]
    lines = [_format_quotation(item.statement) for item in shown[:_MAX_EVIDENCE]]
    return "\n".join([f"EVIDENCE  {_MARGIN_NOTE}", *lines])


def _list_cited_ids(case: Investigation) -> frozenset[str]:
    if case.deliberation is None:
        return frozenset()
    citations = (*case.deliberation.root_cause.citations, *case.deliberation.plan.citations)
    return frozenset(citation.evidence_id for citation in citations)


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
        *(_format_quotation(line) for line in _list_preview_lines(case.preview)),
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


def _list_preview_lines(preview: ChallengerPreview | None) -> list[str]:
    """Return what the plan would give, if it was tried; a foreign worker may have said it."""
    if preview is None:
        return []
    if not preview.comparisons:
        return [f"Challenger: none can be trained or compared now: {preview.reason}"]
    decisive = preview.comparisons[-1]
    figures = (
        f"Challenger: {decisive.metric} {decisive.before:.2f} -> {decisive.after:.2f}"
        f"{format_interval(decisive)} on {decisive.rows} rows"
    )
    if preview.outcome is GateOutcome.BETTER:
        return [f"{figures}, ready"]
    if preview.outcome is GateOutcome.NOT_BETTER:
        return [f"{figures}: it would not be promoted"]
    windows = preview.windows_to_wait
    if windows is None:
        return [f"{figures}: cannot win yet, and waiting may not help"]
    waiting = f"wait for {windows} more window{'s' if windows > 1 else ''}"
    return [f"{figures}: cannot win yet: {waiting}"]


def _render_reasons(decision: Decision) -> str:
    reasons = [
        _format_bullet(f"{result.rule}: {result.reason}")
        for result in decision.results
        if result.verdict is Verdict.ESCALATE
    ]
    return "\n".join(["WHY YOU", *reasons])


def _render_answer(case: Investigation, *, workflow_id: str, terms: ApprovalTerms) -> str:
    command, plan_hash = case.incident.answer_command, terms.plan_hash
    approval = "the plan is carried out, verified, and undone if it did not help"
    if not case.plan.action.changes_registry:
        approval = "you take over the incident, and nothing is carried out"
    elif case.incident.limits.is_shadow(case.incident.event.subject):
        approval = "your answer is recorded, and nothing is carried out in shadow mode"
    lines = [
        f"ANSWER    by {_format_minute(terms.deadline)}; without an answer nothing is done",
        _format_bullet(f"approve: {approval}; reject: nothing is done"),
        *map(_format_bullet, _list_terms(terms)),
    ]
    for choice in (Choice.APPROVE, Choice.REJECT):
        words = _list_answer_words(terms.incident, plan_hash, choice, program=command.trimtab)
        lines += _join_words(words)
    if not terms.require_signature:
        lines += ["", "Without Trimtab's command line:"]
        lines += format_signal_lines(workflow_id, plan_hash, command=command)
    return "\n".join(lines)


def _list_terms(terms: ApprovalTerms) -> list[str]:
    """Return who may answer, how many must, and whether a signature proves who did."""
    if not terms.strict:
        return []
    names = sorted(terms.approvers)
    more = f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    who = f"may answer: {', '.join(names[:_MAX_NAMES])}{more}"
    if not names:
        who = "anyone may answer who can reach Temporal, because the policy lists no approvers"
    lines = [who]
    if terms.approvals_needed > 1:
        lines.append(f"{terms.approvals_needed} different people must approve")
    if terms.require_signature:
        lines.append("an answer must be signed: `trimtab approve` signs with your key")
    else:
        lines.append("answers need no signature: whoever can reach Temporal can use these names")
    return lines


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
