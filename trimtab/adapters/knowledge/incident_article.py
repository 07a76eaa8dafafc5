"""Writes a closed incident as an article: what later incidents may learn from it, and no more.

Only figures, names and words from closed sets stand in it. Free text of a language model or a
person, and the details that came with the event, stay out: they would be read again as knowledge
in every similar incident, for as long as the knowledge base lives.
"""

from collections.abc import Iterator
from typing import Final

from policies.knowledge_query import (
    MAIN_SHARE,
    FindingSigns,
    LossSign,
    PerformanceSign,
    format_query,
)
from trimtab.adapters.knowledge.knowledge_article import MAX_TEXT, Article, Origin
from trimtab.contracts import evidence_ids
from trimtab.contracts.deliberation import Cause, RemediationPlan
from trimtab.contracts.evidence import DocumentKind, EvidenceItem, EvidenceSource
from trimtab.contracts.incident import Ending, IncidentReport
from trimtab.contracts.remediation import Action, RegistryEffect, Verification

_SUCCEEDED: Final = {
    Ending.REMEDIATED: True,
    Ending.UNDONE: False,
    Ending.NOT_VERIFIED: False,
    Ending.NOT_PROMOTED: False,
    Ending.FAILED: False,
}
"""Success of the action; unknown for any other ending, because no action was taken."""
_MEANINGS: Final = {
    Ending.NOTIFIED: "the owner was told to mend the data at its source",
    Ending.MONITORED: "nothing was done, and whether that was right is not known",
    Ending.REMEDIATED: "the action helped, and that was verified",
    Ending.NOT_PROMOTED: "the challenger did not beat the champion, so nothing changed",
    Ending.NOT_VERIFIED: "no labelled rows could show whether it helped, so it was undone",
    Ending.UNDONE: "the action made things worse and was undone",
    Ending.REJECTED: "a person said no, so nothing was done",
    Ending.EXPIRED: "no person answered in time, so nothing was done",
    Ending.ACKNOWLEDGED: "a person took over, and what they did is not known",
    Ending.SUPERSEDED: "another remediation was under way, so nothing was done",
    Ending.CANCELLED: "a person cancelled it, and earlier changes were undone",
    Ending.FAILED: "the action could not be carried out, and earlier changes were undone",
    Ending.ABANDONED: "its workflow was gone before it ended, and a person was told",
}
_MAX_STATEMENTS: Final = 8
"""Statements of evidence in an article."""
_MAX_LINE_LENGTH: Final = 240


def build_incident_article(report: IncidentReport, *, document_id: str) -> Article:
    """Return the incident as the knowledge base keeps it."""
    deliberation = report.deliberation
    plan = deliberation.plan if deliberation else None
    cause, action = (plan.cause, plan.action) if plan else (None, None)
    items = report.evidence.items if report.evidence else ()
    named = f"{_format_words(cause or Cause.UNKNOWN)}, {_format_words(report.ending)}"
    lines = (*_write_story(report), "", "## Evidence", "", *_write_evidence(items))
    return Article(
        id=document_id,
        kind=DocumentKind.INCIDENT,
        title=f"{report.model}: {named}"[:200],
        cause=cause,
        action=action,
        succeeded=_SUCCEEDED.get(report.ending),
        origin=Origin.OBSERVED,
        text="\n".join(lines)[:MAX_TEXT],
        keys=(_build_key(items),),
    )


def _write_story(report: IncidentReport) -> Iterator[str]:
    """Yield one sentence a line: what was found, decided, done and achieved."""
    yield f"Observed in {_format_line(report.model)} on {report.closed_at:%Y-%m-%d}."
    if report.deliberation:
        plan = report.deliberation.plan
        cause = _format_words(plan.cause)
        yield f"The cause was taken for {cause}, and the plan was to {_format_action(plan)}."
    else:
        yield "The deliberation failed, so there was no plan."
    if report.decision and report.confidence:
        rule = _format_line(report.decision.rule)
        yield (
            f"The policy said {report.decision.verdict} by the rule {rule}, "
            f"at a confidence of {report.confidence.value:.2f}."
        )
    outcome = report.outcome
    if outcome:
        yield from (_format_effect(effect) for effect in outcome.effects)
        yield from (_format_verification(found) for found in (outcome.verification,) if found)
    yield f"It ended as {_format_words(report.ending)}: {_MEANINGS[report.ending]}."


def _format_effect(effect: RegistryEffect) -> str:
    done = "done" if effect.applied else "rightly not done"
    figures = ""
    if effect.before is not None and effect.after is not None:
        figures = f": {effect.before:.3f} before and {effect.after:.3f} after"
        figures += f" on {effect.rows} rows" if effect.rows else ""
    return f"Step {_format_line(effect.step)} was {done}{figures}."


def _format_verification(found: Verification) -> str:
    metric = _format_line(found.metric)
    if found.before is None or found.after is None or found.rows == 0:
        return f"Verification had no figures of {metric} to compare."
    return (
        f"Verification: {metric} was {found.before:.3f} before and {found.after:.3f} after, on"
        f" {found.rows} rows that nothing was fitted or chosen on."
    )


def _write_evidence(items: tuple[EvidenceItem, ...]) -> Iterator[str]:
    lines = [line for item in items if (line := _format_item(item))][:_MAX_STATEMENTS]
    yield from (f"- {line}" for line in lines or ["None was collected."])


def _format_item(item: EvidenceItem) -> str:
    """Return a line on drift, performance or a quality fault; "" for any other item."""
    if item.source in {EvidenceSource.DRIFT, EvidenceSource.PERFORMANCE}:
        return _format_line(item.statement)
    if item.source is EvidenceSource.QUALITY and item.fault:
        # The statement quotes the event's own words, so only kind, column and share stand here.
        place = f" of {_format_line(item.column)}" if item.column else ""
        share = f", {item.value:.1%} of rows" if item.value is not None else ""
        return f"Quality fault {_format_words(item.fault)}{place}{share}."
    return ""


def _build_key(items: tuple[EvidenceItem, ...]) -> str:
    """Return the query by which Trimtab would search for this incident, as far as items show it.

    Items of an earlier version have no fields, and add nothing to it.
    """
    return format_query(
        FindingSigns(
            drifted=frozenset(item.role for item in items if item.drifted and item.role),
            faults=tuple(dict.fromkeys(item.fault for item in items if item.fault)),
            performance=_find_performance(items),
            loss=_find_loss(items),
        )
    )


def _find_performance(items: tuple[EvidenceItem, ...]) -> PerformanceSign:
    judged = [item for item in items if item.id == evidence_ids.CHAMPION_PERFORMANCE_ID]
    degraded = judged[0].degraded if judged else None
    if degraded is None:
        return PerformanceSign.UNKNOWN
    return PerformanceSign.DEGRADED if degraded else PerformanceSign.FINE


def _find_loss(items: tuple[EvidenceItem, ...]) -> LossSign | None:
    """Return what a degraded champion's loss was attributed to, if that was estimated."""
    if _find_performance(items) is not PerformanceSign.DEGRADED:
        return None
    values = {item.id: item.value for item in items}
    change = values.get(evidence_ids.CHAMPION_PERFORMANCE_ID)
    unexplained = values.get(evidence_ids.CONCEPT_LOSS_ID)
    if change is None or unexplained is None:
        return None
    mainly = unexplained >= MAIN_SHARE * -change
    return LossSign.UNEXPLAINED if mainly else LossSign.EXPLAINED


def _format_action(plan: RemediationPlan) -> str:
    if plan.action is Action.ROLL_BACK:
        return f"roll back to version {_format_line(plan.target_version or 'unknown')}"
    return "retrain" if plan.action is Action.RETRAIN else "keep watching"


def _format_words(value: str) -> str:
    return value.replace("_", " ")


def _format_line(text: str) -> str:
    """Return the text on one line, without control characters, cut to a readable length."""
    printable = "".join(each if each.isprintable() else " " for each in text)
    return " ".join(printable.split())[:_MAX_LINE_LENGTH]
