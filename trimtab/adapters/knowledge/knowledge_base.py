"""Keeps runbooks and past incidents in Chroma and finds them by meaning.

A document has several keys: title and opening, the ways people ask, the way Trimtab asks. It is as
near to a question as the nearest of them. Vectors come from here, never from Chroma.
"""

import fcntl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

import chromadb
import httpx
from chromadb.api import ClientAPI
from chromadb.api.collection_configuration import CreateCollectionConfiguration
from chromadb.api.models.Collection import Collection
from chromadb.config import Settings as ChromaSettings
from chromadb.errors import ChromaError, InternalError, NotFoundError, RateLimitError
from pydantic import HttpUrl, ValidationError

from trimtab.adapters.knowledge.embedding import Embed, Vectors, embed_texts
from trimtab.adapters.knowledge.incident_article import build_incident_article
from trimtab.adapters.knowledge.knowledge_article import MAX_KEYS, Article, read_articles
from trimtab.adapters.knowledge.knowledge_record import (
    Metadata,
    balance_kinds,
    build_document,
    build_introduction,
    build_metadata,
    build_record_id,
    compute_similarities,
    shorten_id,
)
from trimtab.contracts.evidence import Document, DocumentKind
from trimtab.contracts.incident import IncidentReport
from trimtab.contracts.ports import Refused, Unavailable
from trimtab.runtime.settings import Settings

COLLECTION: Final = "trimtab-knowledge-1"
"""Ends in the version of what is kept: another encoder or other metadata mean another number."""
MAX_QUESTION: Final = 4000
"""Characters of a question that are read at all."""
_TIMEOUT: Final = 10.0
"""Seconds that a Chroma server may be silent."""
_BATCH: Final = 100
"""Documents written at once."""
_ATTEMPTS: Final = 3
"""Tries of a search while others write."""
_FOLDER, _MEMORY = "folder", "memory"
"""Where a document came from: `index` rules over the one, `remember` over the other."""
_CONFIGURATION: Final = CreateCollectionConfiguration(
    hnsw={"space": "cosine", "ef_construction": 200, "ef_search": 200, "sync_threshold": 1_000_000}
)
"""Chroma's index stays in memory, built from SQLite on opening: its files on the disk would not be
safe where several processes write."""


def open_chroma(settings: Settings) -> ClientAPI:
    """A client of the server that the settings name, or of the folder `chroma` under `home`."""
    config = ChromaSettings(anonymized_telemetry=False)
    with _faults_sorted("open Chroma"):
        if settings.chroma.url is None:
            folder = settings.home.absolute() / "chroma"
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / "open.lock").open("w") as lock:
                # Two that set up a new folder at once would trip over each other.
                fcntl.flock(lock, fcntl.LOCK_EX)
                return chromadb.PersistentClient(folder, settings=config)
        return _open_server(settings.chroma.url, config)


class Indexed(NamedTuple):
    """What one run of `index` did, in documents."""

    added: int
    replaced: int
    removed: int
    unchanged: int


class ChromaKnowledgeBase:
    """The knowledge base on a Chroma folder or server; threads may share it.

    Processes on one machine may share a folder: SQLite orders their writes, nothing is lost, and
    what another has added is found. Only a changed document may be ranked by what it was before,
    until the process writes itself. On several machines a Chroma server (`chroma run`) belongs
    between them.
    """

    def __init__(self, client: ClientAPI, *, embed: Embed = embed_texts) -> None:
        self._client = client
        self._embed = embed

    def index(self, *folders: Path) -> Indexed:
        """Make the documents those of the folders; what was remembered stays.

        Only what has changed is embedded. Raises `Refused` with every fault of every file at once,
        and then nothing is changed.
        """
        articles = {article.id: article for article in read_articles(folders)}
        with _faults_sorted("index the knowledge base"):
            collection = self._collection()
            kept = _digests(collection, {"source": _FOLDER})
            _refuse_clash(articles.keys() & _digests(collection, {"source": _MEMORY}).keys())
            changed = [each for each in articles.values() if kept.get(each.id) != each.digest]
            removed = kept.keys() - articles.keys()
            self._write(collection, changed, source=_FOLDER)
            for document_id in removed:
                collection.delete(where={"document": document_id})
        added = sum(article.id not in kept for article in changed)
        return Indexed(added, len(changed) - added, len(removed), len(articles) - len(changed))

    def search(self, query: str, *, limit: int = 5) -> tuple[Document, ...]:
        """The nearest documents, best first, each with its opening as text.

        Neither runbooks nor incidents take more than half of the places (rounded up) while there
        are others: incidents that are all alike would otherwise hide what is known of the cause.
        """
        if not query.strip() or limit < 1:
            return ()
        vector = self._embed([query[:MAX_QUESTION]])
        with _faults_sorted("search the knowledge base"):
            collection = self._collection()
            nearest = _nearest_of_all_kinds(collection, vector, limit=limit)
            chosen = balance_kinds(nearest, limit=limit)
            texts = _texts(collection, list(chosen))
        found = (
            build_introduction(*each, similarity=chosen[each[0]["document"]]) for each in texts
        )
        return tuple(sorted(found, key=lambda document: -document.similarity))

    def document(self, document_id: str) -> Document | None:
        """One whole document, or None."""
        with _faults_sorted(f"read document {document_id!r:.130}"):
            texts = _texts(self._collection(), [shorten_id(document_id)])
        return next((build_document(*each, similarity=1.0) for each in texts), None)

    def remember(self, report: IncidentReport, *, document_id: str) -> None:
        """Write the incident's outcome back; the same id again replaces it."""
        try:
            article = build_incident_article(report, document_id=shorten_id(document_id))
        except ValidationError as error:
            msg = f"incident {report.event_id!r} cannot be remembered: {error}"
            raise Refused(msg) from error
        with _faults_sorted(f"remember incident {report.event_id!r}"):
            collection = self._collection()
            _refuse_clash({article.id} & _digests(collection, {"source": _FOLDER}).keys())
            self._write(collection, [article], source=_MEMORY)

    def _collection(self) -> Collection:
        return self._client.get_or_create_collection(
            COLLECTION, configuration=_CONFIGURATION, embedding_function=None
        )

    def _write(self, collection: Collection, articles: Sequence[Article], *, source: str) -> None:
        """Replace the articles, each with all its keys in one write; none is ever half there."""
        for start in range(0, len(articles), _BATCH):
            batch = articles[start : start + _BATCH]
            keys = [(article, number) for article in batch for number in range(len(article.keys))]
            texts = list(dict.fromkeys(key for article in batch for key in article.keys))
            vectors = dict(zip(texts, self._embed(texts), strict=True))
            collection.delete(ids=[each for article in batch for each in _surplus(article)])
            collection.upsert(
                ids=[build_record_id(article.id, number) for article, number in keys],
                embeddings=[vectors[article.keys[number]] for article, number in keys],
                documents=[article.text if number == 0 else "" for article, number in keys],
                metadatas=[build_metadata(article, source=source) for article, _ in keys],
            )


def _surplus(article: Article) -> list[str]:
    """Records of keys that an earlier form of the article may have had."""
    return [
        build_record_id(article.id, number) for number in range(len(article.keys), MAX_KEYS + 1)
    ]


def _digests(collection: Collection, where: dict[str, Any]) -> dict[str, str]:
    """Document id to digest."""
    kept = collection.get(where=where, include=["metadatas"])["metadatas"] or []
    return {str(metadata["document"]): str(metadata["digest"]) for metadata in kept}


def _refuse_clash(ids: set[str]) -> None:
    if ids:
        msg = f"{sorted(ids)} are ids both of files and of remembered incidents: rename the files"
        raise Refused(msg)


def _nearest_of_all_kinds(
    collection: Collection, vector: Vectors, *, limit: int
) -> list[dict[str, float]]:
    """What `_nearest` finds of each kind.

    When another process has written, Chroma's index in memory misses records that SQLite has, and
    the query fails. Any write makes it catch up: here that of a record that never was.
    """
    for _ in range(_ATTEMPTS - 1):
        try:
            return [_nearest(collection, vector, kind=kind, limit=limit) for kind in DocumentKind]
        except InternalError:
            collection.delete(ids=[build_record_id("")])
    return [_nearest(collection, vector, kind=kind, limit=limit) for kind in DocumentKind]


def _nearest(
    collection: Collection, vector: Vectors, *, kind: DocumentKind, limit: int
) -> dict[str, float]:
    """The nearest documents of a kind with their similarities, best first."""
    found = collection.query(
        query_embeddings=list(vector),
        n_results=limit * MAX_KEYS,
        where={"kind": kind.value},
        include=["metadatas", "distances"],
    )
    metadatas, distances = found["metadatas"] or [[]], found["distances"] or [[]]
    return dict(islice(compute_similarities(metadatas[0], distances[0]).items(), limit))


def _texts(collection: Collection, ids: Sequence[str]) -> list[tuple[Metadata, str]]:
    """Metadata and text of those documents that are still there."""
    if not ids:
        return []
    kept = collection.get(
        ids=[build_record_id(document_id) for document_id in ids],
        include=["metadatas", "documents"],
    )
    return list(zip(kept["metadatas"] or [], kept["documents"] or [], strict=True))


def _open_server(url: HttpUrl, config: ChromaSettings) -> ClientAPI:
    """A client that waits for the server no longer than `_TIMEOUT`: Chroma's own waits for ever."""
    httpx.get(f"{url}api/v2/heartbeat", timeout=_TIMEOUT).raise_for_status()
    client = chromadb.HttpClient(
        host=str(url.host), port=int(url.port or 0), ssl=url.scheme == "https", settings=config
    )
    client._server._session.timeout = httpx.Timeout(_TIMEOUT)  # type: ignore[attr-defined]  # noqa: SLF001 - no public way
    return client


@contextmanager
def _faults_sorted(doing: str) -> Iterator[None]:
    """Turn errors into `Refused` (what Chroma will not have) and `Unavailable` (all others).

    A server in trouble is told of by errors of httpx, or by a bare `Exception`.
    """
    try:
        yield
    except (Refused, Unavailable):
        raise
    except Exception as error:
        msg = f"could not {doing}: {type(error).__name__}: {error}"
        passing = isinstance(error, (InternalError, NotFoundError, RateLimitError))
        if isinstance(error, (ChromaError, TypeError, ValueError)) and not passing:
            raise Refused(msg) from error
        raise Unavailable(msg) from error
