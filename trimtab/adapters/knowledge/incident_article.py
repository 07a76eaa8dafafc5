"""Tells a closed incident as an article: what later incidents may learn from it, and no more.

Only figures, names and words from closed sets are told. What a language model or a person wrote
freely, and the details that came with the event, stay out: they would be read again as knowledge
in every incident alike, for as long as the knowledge base lives.
"""

import re
from collections.abc import Iterator
from typing import Final

from policies.knowledge_query import MAIN_SHARE
from trimtab.adapters.knowledge.incident_signs import (
    FAULT_KINDS,
    Columns,
    Loss,
    Performance,
    question,
)
from trimtab.adapters.knowledge.knowledge_article import MAX_TEXT, Article, Origin
from trimtab.contracts.deliberation import Cause, RemediationPlan
from trimtab.contracts.drift import FeatureRole
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
"""Of any other ending nobody knows: no action was taken."""
_MEANING: Final = {
    Ending.MONITORED: "nothing was done, and whether that was right is not known",
    Ending.REMEDIATED: "the action helped, and that was verified",
    Ending.NOT_PROMOTED: "the challenger did not beat the champion, so nothing changed",
    Ending.NOT_VERIFIED: "no labelled rows could show whether it helped, so it was undone",
    Ending.UNDONE: "the action made things worse and was undone",
    Ending.REJECTED: "a person said no, so nothing was done",
    Ending.EXPIRED: "nobody answered in time, so nothing was done",
    Ending.ACKNOWLEDGED: "a person took over, and what they did is not known",
    Ending.SUPERSEDED: "another remediation was under way, so nothing was done",
    Ending.CANCELLED: "somebody cancelled it, and what was changed until then was undone",
    Ending.FAILED: "the action could not be carried out, and what was changed was undone",
}
_TOLD: Final = 8
"""Most statements of evidence that are told."""
_LONGEST: Final = 240
_MOST_ASKED: Final = 5
"""Most columns, and most faults, that a question names."""
_DRIFTED: Final = re.compile(rf"The ({'|'.join(FeatureRole)}) ([\w.:/ -]{{1,128}}) drifted: ")
"""How `policies.evidence` speaks of a column that drifted."""


def incident_article(report: IncidentReport, *, document_id: str) -> Article:
    """The incident as the knowledge base keeps it."""
    deliberation = report.deliberation
    plan = deliberation.plan if deliberation else None
    cause, action = (plan.cause, plan.action) if plan else (None, None)
    items = report.evidence.items if report.evidence else ()
    return Article(
        id=document_id,
        kind=DocumentKind.INCIDENT,
        title=f"{report.model}: {_words(cause or Cause.UNKNOWN)}, {_words(report.ending)}"[:200],
        cause=cause,
        action=action,
        succeeded=_SUCCEEDED.get(report.ending),
        origin=Origin.OBSERVED,
        text="\n".join((*_story(report), "", "## Evidence", "", *_evidence(items)))[:MAX_TEXT],
        keys=(_asked(items),),
    )


def _story(report: IncidentReport) -> Iterator[str]:
    """One sentence a line: what was found, decided, done and achieved."""
    yield f"Observed in {_line(report.model)} on {report.closed_at:%Y-%m-%d}."
    if report.deliberation:
        plan = report.deliberation.plan
        yield f"The cause was taken for {_words(plan.cause)}, and the plan was to {_verb(plan)}."
    else:
        yield "The deliberation failed, so that there was no plan."
    if report.decision and report.confidence:
        yield (
            f"The policy said {report.decision.verdict} by the rule {_line(report.decision.rule)}, "
            f"at a confidence of {report.confidence.value:.2f}."
        )
    outcome = report.outcome
    if outcome:
        yield from (_effect(effect) for effect in outcome.effects)
        yield from (_verification(outcome.verification),) if outcome.verification else ()
    yield f"It ended as {_words(report.ending)}: {_MEANING[report.ending]}."


def _effect(effect: RegistryEffect) -> str:
    done = "done" if effect.applied else "rightly not done"
    figures = ""
    if effect.before is not None and effect.after is not None:
        figures = f": {effect.before:.3f} before and {effect.after:.3f} after"
        figures += f" on {effect.rows} rows" if effect.rows else ""
    return f"Step {_line(effect.step)} was {done}{figures}."


def _verification(found: Verification) -> str:
    if found.before is None or found.after is None or found.rows == 0:
        return f"Verification had no figures of {_line(found.metric)} to compare."
    return (
        f"Verification: {_line(found.metric)} was {found.before:.3f} before and "
        f"{found.after:.3f} after, on {found.rows} rows that nothing was fitted or chosen on."
    )


def _evidence(items: tuple[EvidenceItem, ...]) -> Iterator[str]:
    told = [item for item in items if item.source in _SPOKEN][:_TOLD]
    if not told:
        yield "- None was collected."
    for item in told:
        yield f"- {_SPOKEN[item.source](item)}"


def _statement(item: EvidenceItem) -> str:
    return _line(item.statement)


def _fault(item: EvidenceItem) -> str:
    """Its kind and share alone: the statement quotes the event's own words."""
    share = f", {item.value:.1%} of rows" if item.value is not None else ""
    return f"Quality fault {_line(item.id.removeprefix('quality:'))}{share}."


_SPOKEN: Final = {
    EvidenceSource.DRIFT: _statement,
    EvidenceSource.PERFORMANCE: _statement,
    EvidenceSource.QUALITY: _fault,
}


def _asked(items: tuple[EvidenceItem, ...]) -> str:
    """How Trimtab would ask for this incident again."""
    matches = [_DRIFTED.match(item.statement) for item in items]
    columns: Columns = [(FeatureRole(match[1]), match[2]) for match in matches if match]
    kinds = [
        kind for item in items for kind in FAULT_KINDS if item.id.startswith(f"quality:{kind}:")
    ]
    return question(
        columns[:_MOST_ASKED],
        faults=list(dict.fromkeys(kinds))[:_MOST_ASKED],
        performance=_performance(items),
        loss=_loss(items),
    )


def _performance(items: tuple[EvidenceItem, ...]) -> Performance:
    said = next((item.statement for item in items if item.id == "performance:champion"), None)
    if said is None:
        return Performance.UNKNOWN
    return Performance.DEGRADED if "more loss than is tolerated" in said else Performance.FINE


def _loss(items: tuple[EvidenceItem, ...]) -> Loss | None:
    """What a loss was put down to, where it was parted; as `policies.evidence` tells it."""
    told = {item.id: item.value for item in items}
    change, beyond = told.get("performance:champion"), told.get("performance:concept-loss")
    if change is None or beyond is None:
        return None
    return Loss.UNEXPLAINED if beyond >= MAIN_SHARE * -change else Loss.EXPLAINED


def _verb(plan: RemediationPlan) -> str:
    if plan.action is Action.ROLL_BACK:
        return f"roll back to version {_line(plan.target_version or 'unknown')}"
    return "retrain" if plan.action is Action.RETRAIN else "keep watching"


def _words(value: Cause | Ending) -> str:
    return value.replace("_", " ")


def _line(text: str) -> str:
    """The text on one line, without control characters, cut to a bearable length."""
    return " ".join("".join(each if each.isprintable() else " " for each in text).split())[
        :_LONGEST
    ]
