"""Ranks runbooks for a query: by the sentence encoder as Trimtab does, and by BM25 as its peer."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np

from trimtab.adapters.knowledge.embedding import embed_texts
from trimtab.adapters.knowledge.knowledge_article import Article

_SATURATION: Final = 1.2
_LENGTH_WEIGHT: Final = 0.75
"""The usual parameters k1 and b of BM25 (Robertson and Zaragoza 2009)."""


class Ranker(Protocol):
    """Ranks documents for a query."""

    def rank(self, query: str) -> list[str]:
        """Return the ids of all documents, the best first."""


class EncoderRanker:
    """Ranks by the cosine similarity of a document's nearest key, as the knowledge base does."""

    def __init__(self, articles: Sequence[Article]) -> None:
        self._ids = [article.id for article in articles for _ in article.keys]
        self._vectors = embed_texts([key for article in articles for key in article.keys])

    def rank(self, query: str) -> list[str]:
        """Return the ids of all documents, the best first."""
        similarities = self._vectors @ embed_texts([query])[0]
        order = np.argsort(-similarities, kind="stable")
        return list(dict.fromkeys(self._ids[index] for index in order))


class Bm25Ranker:
    """Ranks by Okapi BM25 over title, questions and text (Robertson and Zaragoza 2009)."""

    def __init__(self, articles: Sequence[Article]) -> None:
        self._ids = [article.id for article in articles]
        self._counts = [
            Counter(split_words(" ".join((*article.keys, article.text)))) for article in articles
        ]
        self._lengths = [sum(counts.values()) for counts in self._counts]
        self._mean_length = sum(self._lengths) / len(self._lengths)
        self._holders = Counter(word for counts in self._counts for word in counts)

    def rank(self, query: str) -> list[str]:
        """Return the ids of all documents, the best first."""
        words = split_words(query)
        scores = {each: self._score(words, index) for index, each in enumerate(self._ids)}
        return sorted(scores, key=lambda each: (-scores[each], each))

    def _score(self, words: Sequence[str], index: int) -> float:
        counts, length = self._counts[index], self._lengths[index] / self._mean_length
        norm = _SATURATION * (1.0 - _LENGTH_WEIGHT + _LENGTH_WEIGHT * length)
        return sum(
            self._weigh(word) * counts[word] * (_SATURATION + 1.0) / (counts[word] + norm)
            for word in words
            if counts[word]
        )

    def _weigh(self, word: str) -> float:
        """Return the inverse document frequency of a word, which is never negative."""
        holders = self._holders[word]
        return math.log(1.0 + (len(self._ids) - holders + 0.5) / (holders + 0.5))


def split_words(text: str) -> list[str]:
    """Return the words of a text in small letters."""
    return re.findall(r"[a-z0-9]+", text.lower())
