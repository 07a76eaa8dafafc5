"""Computes how sure we are of a plan from what can be checked; a model's claim can only lower it.

The value is the weighted geometric mean of four grounds, so that one ground at zero (no quote
found again) leaves no confidence at all, and then at most what the agents claim of themselves.
The weights are set by hand: citations and margin judge this incident's reasoning, support and
record what is known of others like it. They are to be calibrated against outcomes.
"""

import math
from collections.abc import Sequence

from trimtab.contracts.decision import Confidence, ConfidencePart
from trimtab.contracts.deliberation import Deliberation, RootCause
from trimtab.contracts.evidence import Citation, Document, DocumentKind, EvidenceItem, EvidencePack

_WEIGHTS = {"citations": 0.3, "margin": 0.3, "support": 0.2, "record": 0.2}
_CLEAR_MARGIN = 0.5
"""A lead of the first hypothesis over the second that counts as fully clear."""
_SHORTEST_QUOTE = 8
"""Signs, spaces folded, below which a quote says nothing: "e" stands in every statement."""
_ENOUGH_SOURCES = 2
"""Distinct items that must be cited for full credit."""
_UNCONTESTED = 0.5
"""What a single hypothesis is worth: nothing else was weighed."""
_RELATED = 0.25
"""Cosine similarity below which a document says nothing about the incident."""
_UNHEARD_OF = 0.25
"""What it is worth that none of the known cases agrees: too little to act by, and no refutation."""
_MADE_UP = 0.5
"""What a worked example weighs beside an incident that was observed."""


def assess(deliberation: Deliberation, pack: EvidencePack) -> Confidence:
    """The confidence in the deliberation's plan, 0 to 1, with its grounds."""
    items = (*pack.items, *deliberation.inspected)
    citations = (*deliberation.root_cause.citations, *deliberation.plan.citations)
    grounds = {
        "citations": _citations_found(citations, items),
        "margin": _margin(deliberation.root_cause),
        "support": _support(deliberation, pack.documents),
        "record": _record(deliberation, pack.documents),
    }
    parts = tuple(
        ConfidencePart(name=name, value=value, weight=_WEIGHTS[name], reason=reason)
        for name, (value, reason) in grounds.items()
    )
    claimed = min(
        deliberation.root_cause.self_reported,
        deliberation.plan.self_reported,
        deliberation.review.self_reported,
    )
    return Confidence(
        value=round(min(_geometric_mean(parts), claimed), 4), parts=parts, self_reported=claimed
    )


def _geometric_mean(parts: Sequence[ConfidencePart]) -> float:
    if any(part.value == 0.0 for part in parts):
        return 0.0
    return min(1.0, math.exp(sum(part.weight * math.log(part.value) for part in parts)))


def _citations_found(
    citations: Sequence[Citation], items: Sequence[EvidenceItem]
) -> tuple[float, str]:
    if not citations:
        return 0.0, "nothing is cited"
    statements = {item.id: _squeeze(item.statement) for item in items}
    found = [
        citation.evidence_id
        for citation in citations
        if _says(_squeeze(citation.quote), statements.get(citation.evidence_id, ""))
    ]
    breadth = min(1.0, len(set(found)) / _ENOUGH_SOURCES)
    share = len(found) / len(citations)
    return share * breadth, (
        f"{len(found)} of {len(citations)} quotes found again, in {len(set(found))} items"
    )


def _says(quote: str, statement: str) -> bool:
    return quote in statement and (len(quote) >= _SHORTEST_QUOTE or quote == statement != "")


def _squeeze(text: str) -> str:
    return " ".join(text.split())


def _margin(root_cause: RootCause) -> tuple[float, str]:
    likelihoods = sorted((likelihood for _, likelihood in root_cause.hypotheses), reverse=True)
    leader = max(root_cause.hypotheses, key=lambda pair: pair[1])[0]
    if leader is not root_cause.cause:
        return 0.0, f"the cause is {root_cause.cause}, but {leader} is held more likely"
    if len(likelihoods) == 1:
        return _UNCONTESTED, "no other cause was weighed"
    lead = likelihoods[0] - likelihoods[1]
    return min(1.0, max(0.0, lead) / _CLEAR_MARGIN), f"leads the next cause by {lead:.2f}"


def _support(deliberation: Deliberation, documents: Sequence[Document]) -> tuple[float, str]:
    best = max((document.similarity for document in documents), default=0.0)
    if best < _RELATED:
        return 0.0, "no known case is like this one"
    cause = deliberation.plan.cause.value
    agreeing = [document for document in documents if document.cause == cause]
    nearest = max((document.similarity for document in agreeing), default=0.0)
    return min(1.0, max(nearest / best, _UNHEARD_OF)), (
        f"{len(agreeing)} of {len(documents)} similar documents name the cause {cause}"
    )


def _record(deliberation: Deliberation, documents: Sequence[Document]) -> tuple[float, str]:
    """Laplace's rule of succession over similar incidents, each weighted by its similarity."""
    action = deliberation.plan.action.value
    tried = [
        document
        for document in documents
        if document.kind is DocumentKind.INCIDENT
        and document.action == action
        and document.succeeded is not None
        and document.similarity >= _RELATED
    ]
    helped = sum(_weight(document) for document in tried if document.succeeded)
    weight = sum(_weight(document) for document in tried)
    return (helped + 1) / (weight + 2), (
        f"{action} helped in {sum(bool(document.succeeded) for document in tried)} "
        f"of {len(tried)} similar incidents"
    )


def _weight(document: Document) -> float:
    """How much one incident counts; a worked example that ships with Trimtab counts half."""
    return document.similarity * (_MADE_UP if document.origin == "example" else 1.0)
