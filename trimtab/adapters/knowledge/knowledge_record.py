"""How a document lies in Chroma: one record a key, the first with the text; and who is shown."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from trimtab.adapters.knowledge.knowledge_article import Article, extract_introduction
from trimtab.contracts.evidence import Document, DocumentKind

MAX_ID: Final = 128
"""Characters of a document's id: what `contracts.base.Name` holds."""

Metadata = Mapping[str, Any]


def build_record_id(document_id: str, number: int = 0) -> str:
    """Id of the record of a document's key; no document's id holds a "#"."""
    return f"{document_id}#{number}"


def shorten_id(document_id: str) -> str:
    """The id itself, or one made from it that is not too long."""
    if len(document_id) <= MAX_ID:
        return document_id
    return f"{document_id[: MAX_ID - 33]}:{sha256(document_id.encode()).hexdigest()[:32]}"


def build_metadata(article: Article, *, source: str) -> dict[str, str]:
    """All of it each time: an upsert keeps what it is not given, and Chroma holds no None."""
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
    """The document that a record tells of."""
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


def build_introduction(metadata: Metadata, text: str, *, similarity: float) -> Document:
    """The same, with what stands above its sections alone."""
    return build_document(metadata, extract_introduction(text), similarity=similarity)


def compute_similarities(
    metadatas: Iterable[Metadata], distances: Iterable[float]
) -> dict[str, float]:
    """Each document's best cosine similarity, floored at 0, best first."""
    best: dict[str, float] = {}
    for metadata, distance in zip(metadatas, distances, strict=True):
        similarity = min(1.0, max(0.0, 1.0 - distance))
        best[metadata["document"]] = max(similarity, best.get(metadata["document"], 0.0))
    return dict(sorted(best.items(), key=lambda each: -each[1]))


def balance_kinds(nearest: Sequence[Mapping[str, float]], *, limit: int) -> dict[str, float]:
    """The best of all kinds; none takes more than half of the places while there are others."""
    half = -(-limit // 2)
    first = [each for kind in nearest for each in list(kind.items())[:half]]
    rest = [each for kind in nearest for each in list(kind.items())[half:]]
    ranked = [*sorted(first, key=_by_similarity), *sorted(rest, key=_by_similarity)]
    return dict(ranked[:limit])


def _by_similarity(each: tuple[str, float]) -> float:
    return -each[1]
