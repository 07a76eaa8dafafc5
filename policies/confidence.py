"""Computes the confidence in a plan from what can be checked; a model's claim can only lower it.

The value is the weighted geometric mean of four parts, so that a part of zero (no quote is found
again) leaves no confidence at all, limited by the confidence that the agents report themselves. The
weights are set by hand: citations and margin judge the reasoning about this incident, support and
record the knowledge of similar ones. They still have to be calibrated against outcomes.
"""

import math
from collections.abc import Sequence

from policies.citations import (
    Claim,
    build_cause_claim,
    build_plan_claim,
    list_supporting_ids,
)
from trimtab.contracts.decision import Confidence, ConfidencePart
from trimtab.contracts.deliberation import Deliberation, RootCause
from trimtab.contracts.evidence import (
    Citation,
    Document,
    DocumentKind,
    EvidenceItem,
    EvidencePack,
    EvidenceSource,
)
from trimtab.contracts.evidence_ids import is_inspection_id

_WEIGHTS = {"citations": 0.3, "margin": 0.3, "support": 0.2, "record": 0.2}
_CLEAR_MARGIN = 0.5
"""Lead of the first hypothesis over the second that counts as fully clear."""
_MIN_QUOTE_LENGTH = 8
"""Characters, spaces folded, below which a quote proves nothing: "e" is in every statement."""
_MIN_CITED_ITEMS = 2
"""Number of different items that must be cited for full credit."""
_SINGLE_HYPOTHESIS = 0.5
"""Margin of a single hypothesis, because no other cause was considered."""
_RELATED_SIMILARITY = 0.25
"""Cosine similarity below which a document is unrelated to the incident."""
_NO_AGREEMENT = 0.25
"""Support if none of the known cases agrees: too little to act on, but no refutation."""
_EXAMPLE_WEIGHT = 0.5
"""Weight of a worked example, relative to an observed incident."""


def compute_confidence(deliberation: Deliberation, pack: EvidencePack) -> Confidence:
    """Return the confidence in the deliberation's plan, from 0 to 1, with its parts."""
    scores = {
        "citations": _score_citations(deliberation, pack),
        "margin": _score_margin(deliberation.root_cause),
        "support": _score_support(deliberation, pack.documents),
        "record": _score_record(deliberation, pack.documents),
    }
    parts = tuple(
        ConfidencePart(name=name, value=value, weight=_WEIGHTS[name], reason=reason)
        for name, (value, reason) in scores.items()
    )
    claimed = min(
        deliberation.root_cause.self_reported,
        deliberation.plan.self_reported,
        deliberation.review.self_reported,
    )
    return Confidence(
        value=round(min(_compute_geometric_mean(parts), claimed), 4),
        parts=parts,
        self_reported=claimed,
    )


def _compute_geometric_mean(parts: Sequence[ConfidencePart]) -> float:
    if any(part.value == 0.0 for part in parts):
        return 0.0
    return min(1.0, math.exp(sum(part.weight * math.log(part.value) for part in parts)))


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
    breadth = min(1.0, len(set(kept)) / _MIN_CITED_ITEMS)
    return len(kept) / len(found) * breadth, (
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


def _score_margin(root_cause: RootCause) -> tuple[float, str]:
    """Return how clearly the cause leads the other hypotheses, and the reason."""
    likelihoods = sorted((likelihood for _, likelihood in root_cause.hypotheses), reverse=True)
    leader = max(root_cause.hypotheses, key=lambda pair: pair[1])[0]
    if leader is not root_cause.cause:
        return 0.0, f"the cause is {root_cause.cause}, but {leader} is rated more likely"
    if len(likelihoods) == 1:
        return _SINGLE_HYPOTHESIS, "no other cause was considered"
    lead = likelihoods[0] - likelihoods[1]
    return min(1.0, max(0.0, lead) / _CLEAR_MARGIN), f"leads the next cause by {lead:.2f}"


def _score_support(deliberation: Deliberation, documents: Sequence[Document]) -> tuple[float, str]:
    """Return how far similar documents name the same cause, and the reason."""
    best = max((document.similarity for document in documents), default=0.0)
    if best < _RELATED_SIMILARITY:
        return 0.0, "no known case is similar to this one"
    cause = deliberation.plan.cause.value
    agreeing = [document for document in documents if document.cause == cause]
    nearest = max((document.similarity for document in agreeing), default=0.0)
    return min(1.0, max(nearest / best, _NO_AGREEMENT)), (
        f"{len(agreeing)} of {len(documents)} similar documents name the cause {cause}"
    )


def _score_record(deliberation: Deliberation, documents: Sequence[Document]) -> tuple[float, str]:
    """Return how often the action helped in similar incidents, and the reason.

    Laplace's rule of succession, with each incident weighted by its similarity. Worked examples
    count only as long as no incident was observed.
    """
    action = deliberation.plan.action.value
    tried = [
        document
        for document in documents
        if document.kind is DocumentKind.INCIDENT
        and document.action == action
        and document.succeeded is not None
        and document.similarity >= _RELATED_SIMILARITY
    ]
    observed = [document for document in tried if document.origin != "example"]
    tried = observed or tried
    helped = sum(_weigh_incident(document) for document in tried if document.succeeded)
    total = sum(_weigh_incident(document) for document in tried)
    return (helped + 1) / (total + 2), (
        f"{action} helped in {sum(bool(document.succeeded) for document in tried)} "
        f"of {len(tried)} similar incidents"
    )


def _weigh_incident(document: Document) -> float:
    return document.similarity * (_EXAMPLE_WEIGHT if document.origin == "example" else 1.0)
