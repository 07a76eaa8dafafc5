"""Computes the confidence in a plan: the probability that its cause and its action are right.

It is a logistic regression on parts that are measured, never claimed, with weights that are fitted
on labelled incidents and travel with the policy (`contracts.calibration`). Every weight is at least
0, so that more of what speaks for a plan never lowers it. Quotes that support nothing lower it in
proportion, and what a language model says of its own confidence can only lower it.
"""

import math
from collections.abc import Sequence

from policies.assurance import AssurancePart, measure_assurance
from policies.citations import (
    Claim,
    build_cause_claim,
    build_plan_claim,
    list_supporting_ids,
)
from policies.judgement.figures import collect_figures
from policies.second_opinion import judge_figures
from trimtab.contracts.calibration import ConfidenceCalibration
from trimtab.contracts.decision import Confidence, ConfidencePart
from trimtab.contracts.deliberation import RULE_ANALYST, Deliberation
from trimtab.contracts.evidence import Citation, EvidenceItem, EvidencePack, EvidenceSource
from trimtab.contracts.evidence_ids import is_inspection_id
from trimtab.contracts.incident import IncidentInput

_MIN_QUOTE_LENGTH = 8
"""Characters, spaces folded, below which a quote proves nothing: "e" is in every statement."""


def compute_confidence(
    deliberation: Deliberation, pack: EvidencePack, incident: IncidentInput
) -> Confidence:
    """Return the confidence in the deliberation's plan, from 0 to 1, with its parts."""
    calibration = incident.limits.calibration
    quoted, reason = _score_citations(deliberation, pack)
    measured = list_assurance(deliberation, pack, incident)
    weights = calibration.weights
    parts = (
        ConfidencePart(name="citations", value=quoted, weight=1.0, reason=reason),
        *(
            ConfidencePart(
                name=part.name,
                value=part.value,
                weight=weights.get(part.name, 0.0),
                reason=part.reason,
            )
            for part in measured
        ),
    )
    claimed = _get_claim(deliberation)
    led = _is_led_by_its_cause(deliberation)
    computed = estimate_probability(measured, calibration) * quoted if led else 0.0
    return Confidence(value=round(min(computed, claimed), 4), parts=parts, self_reported=claimed)


def list_assurance(
    deliberation: Deliberation, pack: EvidencePack, incident: IncidentInput
) -> tuple[AssurancePart, ...]:
    """Return the measured parts of the confidence in a plan."""
    figures = collect_figures(incident.event.data, incident.spec, pack)
    plan = deliberation.plan
    return measure_assurance(judge_figures(figures), figures, cause=plan.cause, action=plan.action)


def estimate_probability(
    parts: Sequence[AssurancePart], calibration: ConfidenceCalibration
) -> float:
    """Return the calibrated probability that cause and action are right."""
    odds = calibration.intercept + sum(
        calibration.weights.get(part.name, 0.0) * part.value for part in parts
    )
    return 1.0 / (1.0 + math.exp(-max(-50.0, min(50.0, odds))))


def _get_claim(deliberation: Deliberation) -> float:
    """Return the lowest confidence that the agents claim; the rules claim none of their own."""
    if deliberation.analyst == RULE_ANALYST:
        return 1.0
    return min(
        deliberation.root_cause.self_reported,
        deliberation.plan.self_reported,
        deliberation.review.self_reported,
    )


def _is_led_by_its_cause(deliberation: Deliberation) -> bool:
    """Return whether the investigator rates no other cause as more likely than the chosen one."""
    root = deliberation.root_cause
    return max(root.hypotheses, key=lambda pair: pair[1])[0] is root.cause


def _score_citations(deliberation: Deliberation, pack: EvidencePack) -> tuple[float, str]:
    """Return the share of quotes that support their claim, and how it was found.

    A quote supports a claim if its item contains it and speaks for the claim. A quote of an item
    that is beside the point, or speaks against the claim, counts as not found.
    """
    items = (*pack.items, *_select_inspected(deliberation, pack))
    champion, cause, plan = pack.champion_version, deliberation.root_cause, deliberation.plan
    found = [
        *_find_quoted_items(cause.citations, items, build_cause_claim(cause, champion=champion)),
        *_find_quoted_items(plan.citations, items, build_plan_claim(plan, champion=champion)),
    ]
    if not found:
        return 0.0, "nothing is cited"
    kept = [item_id for item_id in found if item_id is not None]
    return len(kept) / len(found), (
        f"{len(kept)} of {len(found)} quotes support their claim, from {len(set(kept))} items"
    )


def _select_inspected(deliberation: Deliberation, pack: EvidencePack) -> list[EvidenceItem]:
    """Return what tools found beside the pack, without what only a measurement may say.

    Nobody seals what tools found. So it must not take the place of what was measured, and the
    column that it is about speaks for a claim by its measured drift alone.
    """
    known = {item.id for item in pack.items}
    return [
        EvidenceItem(
            id=item.id,
            source=EvidenceSource.INSPECTION,
            statement=item.statement,
            value=item.value,
            column=item.column,
        )
        for item in deliberation.inspected
        if is_inspection_id(item.id) and item.id not in known
    ]


def _find_quoted_items(
    citations: Sequence[Citation], items: Sequence[EvidenceItem], claim: Claim
) -> list[str | None]:
    """Return for each quote the item that it supports the claim by, or None."""
    supporting = list_supporting_ids(items, claim)
    statements = {item.id: _fold_spaces(item.statement) for item in items if item.id in supporting}
    return [
        citation.evidence_id
        if _contains_quote(statements.get(citation.evidence_id, ""), _fold_spaces(citation.quote))
        else None
        for citation in citations
    ]


def _contains_quote(statement: str, quote: str) -> bool:
    long_enough = len(quote) >= _MIN_QUOTE_LENGTH or quote == statement != ""
    return quote in statement and long_enough


def _fold_spaces(text: str) -> str:
    return " ".join(text.split())
