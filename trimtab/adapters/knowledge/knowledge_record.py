"""Converts documents to records of Chroma and back, and ranks what a search finds.

A document has one record per key; the first holds the text.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from trimtab.adapters.knowledge.knowledge_article import Article, extract_introduction
from trimtab.contracts.evidence import Document, DocumentKind

MAX_ID: Final = 128
"""Characters of a document's id: what `contracts.base.Name` holds."""

Metadata = Mapping[str, Any]


def build_record_id(document_id: str, number: int = 0) -> str:
    """Return the id of the record of a document's key; no document's id holds a "#"."""
    return f"{document_id}#{number}"


def shorten_id(document_id: str) -> str:
    """Return the id, or one made from it with a digest if it is too long."""
    if len(document_id) <= MAX_ID:
        return document_id
    return f"{document_id[: MAX_ID - 33]}:{sha256(document_id.encode()).hexdigest()[:32]}"


def build_metadata(article: Article, *, source: str) -> dict[str, str]:
    """Return all metadata each time: an upsert keeps missing fields, and Chroma holds no None."""
    return {
        "document": article.id,
        "source": source,
        "digest": article.digest,
        "kind": article.kind.value,
        "title": article.title,
        "cause": article.cause or "",
        "action": article.action or "",
        "succeeded": "" if article.succeeded is None else str(article.succeeded).lower(),
        "origin": article.origin or "",
    }


def build_document(metadata: Metadata, text: str, *, similarity: float) -> Document:
    """Return the document of a record."""
    return Document(
        id=metadata["document"],
        kind=DocumentKind(metadata["kind"]),
        title=metadata["title"],
        text=text,
        similarity=similarity,
        cause=metadata["cause"] or None,
        action=metadata["action"] or None,
        succeeded={"true": True, "false": False}.get(metadata["succeeded"]),
        origin=metadata["origin"] or None,
    )


def build_document_introduction(metadata: Metadata, text: str, *, similarity: float) -> Document:
    """Return the document of a record with its introduction as text."""
    return build_document(metadata, extract_introduction(text), similarity=similarity)


def find_document_id(record_id: str) -> str:
    """Return the id of the document that a record is of."""
    return record_id.rpartition("#")[0]


def compute_similarities(record_ids: Iterable[str], distances: Iterable[float]) -> dict[str, float]:
    """Return each document's best cosine similarity, floored at 0, best first.

    Args:
        record_ids: Ids of the records that were found.
        distances: Their cosine distances, in the same order.
    """
    best: dict[str, float] = {}
    for record_id, distance in zip(record_ids, distances, strict=True):
        document = find_document_id(record_id)
        similarity = min(1.0, max(0.0, 1.0 - distance))
        best[document] = max(similarity, best.get(document, 0.0))
    return dict(sorted(best.items(), key=_rank))


def balance_kinds(nearest: Sequence[Mapping[str, float]], *, limit: int) -> dict[str, float]:
    """Return the best of all kinds; none takes more than half of the places while others exist.

    Args:
        nearest: For each kind, document id to similarity, best first.
        limit: Documents to return at most.
    """
    half = -(-limit // 2)
    first = [each for kind in nearest for each in list(kind.items())[:half]]
    rest = [each for kind in nearest for each in list(kind.items())[half:]]
    ranked = [*sorted(first, key=_rank), *sorted(rest, key=_rank)]
    return dict(ranked[:limit])


def _rank(each: tuple[str, float]) -> float:
    return -each[1]
