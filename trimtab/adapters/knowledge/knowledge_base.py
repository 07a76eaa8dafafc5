"""Keeps runbooks and past incidents in Chroma and finds them by meaning.

A document has several keys: title and opening, people's questions, the queries by which Trimtab
searches. The key most similar to a query counts. Vectors come from here, never from Chroma.
"""

from collections.abc import Iterable, Sequence
from itertools import islice, starmap
from pathlib import Path
from typing import Any, Final, NamedTuple

from chromadb.api import ClientAPI
from chromadb.api.collection_configuration import CreateCollectionConfiguration
from chromadb.api.models.Collection import Collection
from chromadb.errors import InternalError
from pydantic import ValidationError

from trimtab.adapters.knowledge.chroma_client import translate_chroma_errors
from trimtab.adapters.knowledge.embedding import Embed, Vectors, embed_texts
from trimtab.adapters.knowledge.incident_article import build_incident_article
from trimtab.adapters.knowledge.knowledge_article import (
    MAX_KEYS,
    Article,
    Origin,
    read_articles,
    read_knowledge_files,
)
from trimtab.adapters.knowledge.knowledge_record import (
    Metadata,
    balance_kinds,
    build_document,
    build_document_introduction,
    build_metadata,
    build_record_id,
    compute_similarities,
    shorten_id,
)
from trimtab.contracts.evidence import Document, DocumentKind
from trimtab.contracts.incident import IncidentReport
from trimtab.contracts.ports import Refused

COLLECTION: Final = "trimtab-knowledge-1"
"""Name with the version of what is kept: another encoder or other metadata need another number."""
MAX_QUERY_LENGTH: Final = 4000
"""Characters of a query that are read."""
_BATCH_SIZE: Final = 100
"""Documents written at once."""
_MAX_ATTEMPTS: Final = 3
"""Tries of a search while other processes write."""
_FOLDER, _MEMORY = "folder", "memory"
"""Sources of a document: `index` controls those of the first, `remember` those of the second."""
_CONFIGURATION: Final = CreateCollectionConfiguration(
    hnsw={"space": "cosine", "ef_construction": 200, "ef_search": 200, "sync_threshold": 1_000_000}
)
"""Settings that keep Chroma's index in memory, built from SQLite on opening: its files on disk
would not be safe if several processes write."""


class IndexSummary(NamedTuple):
    """Numbers of documents in one run of `index`."""

    added: int
    replaced: int
    removed: int
    unchanged: int


class ChromaKnowledgeBase:
    """The knowledge base on a Chroma folder or server; threads may share it.

    Processes on one machine may share a folder: SQLite orders their writes, nothing is lost, and
    documents that another process has added are found. Only a changed document may be ranked by
    its former keys, until this process writes. Several machines need a Chroma server
    (`chroma run`) between them.
    """

    def __init__(self, client: ClientAPI, *, embed: Embed = embed_texts) -> None:
        self._client = client
        self._embed = embed

    def index(self, *folders: Path) -> IndexSummary:
        """Make the documents those of the folders; remembered incidents stay.

        Raises:
            Refused: Every fault of every file, at once; then nothing is changed.
        """
        return self._index_articles(read_articles(folders))

    def index_valid(self, *folders: Path) -> tuple[str, ...]:
        """Make the documents the valid ones of the folders; return the faults of the others.

        Remembered incidents stay.

        Raises:
            Refused: A remembered incident has the id of a document; then nothing is changed.
        """
        files = read_knowledge_files(folders)
        self._index_articles(files.articles.values())
        return files.faults

    def _index_articles(self, documents: Iterable[Article]) -> IndexSummary:
        """Replace what changed; only that is embedded."""
        articles = {article.id: article for article in documents}
        with translate_chroma_errors("index the knowledge base"):
            collection = self._get_collection()
            kept = _read_digests(collection, {"source": _FOLDER})
            remembered = _read_digests(collection, {"source": _MEMORY})
            _check_unique(articles.keys() & remembered.keys())
            changed = [each for each in articles.values() if kept.get(each.id) != each.digest]
            removed = kept.keys() - articles.keys()
            self._write(collection, changed, source=_FOLDER)
            for document_id in removed:
                collection.delete(where={"document": document_id})
        added = sum(article.id not in kept for article in changed)
        return IndexSummary(added, len(changed) - added, len(removed), len(articles) - len(changed))

    def read_digests(self) -> dict[str, str]:
        """Return the digest of each indexed document of a folder, by its id."""
        with translate_chroma_errors("read the knowledge base"):
            return _read_digests(self._get_collection(), {"source": _FOLDER})

    def search(self, query: str, *, limit: int = 5) -> tuple[Document, ...]:
        """Return the nearest documents, best first, each with its introduction as text.

        Neither runbooks nor incidents take more than half of the places (rounded up) while there
        are others: many incidents that are alike would otherwise hide what is known of the cause.
        A worked example is left out once an incident of its cause has been observed.
        """
        if not query.strip() or limit < 1:
            return ()
        vector = self._embed([query[:MAX_QUERY_LENGTH]])
        with translate_chroma_errors("search the knowledge base"):
            collection = self._get_collection()
            nearest = [
                _drop_outdated_examples(collection, found)
                for found in _search_all_kinds(collection, vector, limit=limit)
            ]
            chosen = balance_kinds(nearest, limit=limit)
            records = _read_records(collection, list(chosen))
        found = (
            build_document_introduction(*record, similarity=chosen[record[0]["document"]])
            for record in records
        )
        return tuple(sorted(found, key=lambda document: -document.similarity))

    def document(self, document_id: str) -> Document | None:
        """Return one whole document, or None."""
        with translate_chroma_errors(f"read document {document_id!r:.130}"):
            records = _read_records(self._get_collection(), [shorten_id(document_id)])
        return next((build_document(*record, similarity=1.0) for record in records), None)

    def remember(self, report: IncidentReport, *, document_id: str) -> None:
        """Keep the incident as a document; the same id again replaces it.

        Raises:
            Refused: The report makes no valid article, or a file has the same id.
        """
        self.remember_all([(report, document_id)])

    def remember_all(self, memories: Sequence[tuple[IncidentReport, str]]) -> None:
        """Keep incidents, each with its document's id, in one write; the last of an id counts.

        Raises:
            Refused: One of them makes no valid article, or a file has the same id: none is kept.
        """
        articles = {each.id: each for each in starmap(_build_article, memories)}
        with translate_chroma_errors(f"remember incidents {', '.join(articles)!r:.130}"):
            collection = self._get_collection()
            _check_unique(_find_files(collection, articles))
            self._write(collection, list(articles.values()), source=_MEMORY)

    def _get_collection(self) -> Collection:
        return self._client.get_or_create_collection(
            COLLECTION, configuration=_CONFIGURATION, embedding_function=None
        )

    def _write(self, collection: Collection, articles: Sequence[Article], *, source: str) -> None:
        """Replace the articles, each with all its keys in one write, so that none is half there."""
        for start in range(0, len(articles), _BATCH_SIZE):
            batch = articles[start : start + _BATCH_SIZE]
            keys = [(article, number) for article in batch for number in range(len(article.keys))]
            texts = list(dict.fromkeys(key for article in batch for key in article.keys))
            vectors = dict(zip(texts, self._embed(texts), strict=True))
            surplus = [each for article in batch for each in _list_surplus_records(article)]
            # Deleting costs as much as writing, whether there is something to delete or not.
            if there := collection.get(ids=surplus, include=[])["ids"]:
                collection.delete(ids=there)
            collection.upsert(
                ids=[build_record_id(article.id, number) for article, number in keys],
                embeddings=[vectors[article.keys[number]] for article, number in keys],
                documents=[article.text if number == 0 else "" for article, number in keys],
                metadatas=[build_metadata(article, source=source) for article, _ in keys],
            )


def _list_surplus_records(article: Article) -> list[str]:
    """Return ids of records for keys that an earlier form of the article may have had."""
    numbers = range(len(article.keys), MAX_KEYS + 1)
    return [build_record_id(article.id, number) for number in numbers]


def _read_digests(collection: Collection, where: dict[str, Any]) -> dict[str, str]:
    """Return document id to digest."""
    kept = collection.get(where=where, include=["metadatas"])["metadatas"] or []
    return {str(metadata["document"]): str(metadata["digest"]) for metadata in kept}


def _find_files(collection: Collection, ids: Iterable[str]) -> set[str]:
    """Return the ids that documents of a folder have."""
    kept = collection.get(ids=[build_record_id(each) for each in ids], include=["metadatas"])
    found = kept["metadatas"] or []
    return {str(each["document"]) for each in found if each["source"] == _FOLDER}


def _build_article(report: IncidentReport, document_id: str) -> Article:
    try:
        return build_incident_article(report, document_id=shorten_id(document_id))
    except ValidationError as error:
        msg = f"incident {report.event_id!r} cannot be remembered: {error}"
        raise Refused(msg) from error


def _check_unique(shared: set[str]) -> None:
    if shared:
        msg = f"{sorted(shared)} are ids of files and of remembered incidents: rename the files"
        raise Refused(msg)


def _search_all_kinds(
    collection: Collection, vector: Vectors, *, limit: int
) -> list[dict[str, float]]:
    """Return what `_search_kind` finds of each kind.

    When another process has written, Chroma's index in memory misses records that SQLite has, and
    the query fails. Any write updates the index: here the deletion of a record that never was.
    """
    for _ in range(_MAX_ATTEMPTS - 1):
        try:
            return [_search_kind(collection, vector, kind, limit=limit) for kind in DocumentKind]
        except InternalError:
            collection.delete(ids=[build_record_id("")])
    return [_search_kind(collection, vector, kind, limit=limit) for kind in DocumentKind]


def _search_kind(
    collection: Collection, vector: Vectors, kind: DocumentKind, *, limit: int
) -> dict[str, float]:
    """Return the nearest documents of a kind with their similarities, best first.

    Metadata is left out: Chroma reads it record by record.
    """
    found = collection.query(
        query_embeddings=list(vector),
        n_results=limit * MAX_KEYS,
        where={"kind": kind.value},
        include=["distances"],
    )
    distances = (found["distances"] or [[]])[0]
    return dict(islice(compute_similarities(found["ids"][0], distances).items(), limit))


def _drop_outdated_examples(collection: Collection, found: dict[str, float]) -> dict[str, float]:
    """Return the documents without examples of causes of which an incident was observed."""
    examples = {
        str(metadata["document"]): str(metadata["cause"])
        for metadata, _ in _read_records(collection, list(found))
        if metadata["origin"] == Origin.EXAMPLE
    }
    observed = {cause for cause in set(examples.values()) if _is_observed(collection, cause)}
    return {each: found[each] for each in found if examples.get(each) not in observed}


def _is_observed(collection: Collection, cause: str) -> bool:
    conditions: list[Any] = [{"origin": Origin.OBSERVED.value}, {"cause": cause}]
    return bool(collection.get(where={"$and": conditions}, limit=1, include=[])["ids"])


def _read_records(collection: Collection, ids: Sequence[str]) -> list[tuple[Metadata, str]]:
    """Return metadata and text of those documents that still exist."""
    if not ids:
        return []
    kept = collection.get(
        ids=[build_record_id(document_id) for document_id in ids],
        include=["metadatas", "documents"],
    )
    return list(zip(kept["metadatas"] or [], kept["documents"] or [], strict=True))
