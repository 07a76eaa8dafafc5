"""The shipped runbooks and worked examples, indexed in memory once a process."""

from functools import cache

import chromadb
from chromadb.config import Settings as ChromaSettings

from trimtab.adapters.knowledge.knowledge_base import ChromaKnowledgeBase
from trimtab.runtime.paths import shipped_knowledge


@cache
def open_shipped_knowledge() -> ChromaKnowledgeBase:
    """Return the knowledge base that a new deployment begins with; nothing is added to it."""
    client = chromadb.EphemeralClient(ChromaSettings(anonymized_telemetry=False))
    knowledge = ChromaKnowledgeBase(client)
    knowledge.index(shipped_knowledge())
    return knowledge
