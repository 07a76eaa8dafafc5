"""Recall and mean reciprocal rank of a ranking, with Wilson intervals of the recalls."""

import json
import math
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from evals.retrieval.rankings import Ranker

QUESTIONS: Final = Path(__file__).with_name("questions.jsonl")
FINDINGS: Final = Path(__file__).with_name("findings.jsonl")
DEPTHS: Final = (1, 3, 5)
_NORMAL_QUANTILE: Final = 1.959964
"""Quantile of the standard normal distribution for 95 % intervals."""


class QuestionSplit(StrEnum):
    """Use of a question."""

    TUNING = "tuning"
    """Documents may be worded with it in view."""
    HELD_OUT = "held_out"
    """Nothing was changed after it was seen."""


class Question(BaseModel):
    """A query with the documents that answer it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    question: str = Field(min_length=5)
    acceptable: tuple[str, ...] = Field(min_length=1)
    """Ids of the documents that answer it."""
    split: QuestionSplit


class Interval(NamedTuple):
    """A share with its 95 % interval."""

    value: float
    low: float
    high: float


class RetrievalScore(NamedTuple):
    """How well a ranking answers questions."""

    questions: int
    recall: dict[int, Interval]
    """Share of questions with an acceptable document among the first k, by k."""
    mean_reciprocal_rank: float


def read_questions(file: Path = QUESTIONS) -> tuple[Question, ...]:
    """Return the questions of a file in JSON Lines."""
    lines = file.read_text(encoding="utf-8").splitlines()
    return tuple(Question.model_validate(json.loads(line)) for line in lines if line.strip())


def measure_retrieval(ranker: Ranker, questions: Sequence[Question]) -> RetrievalScore:
    """Return how well a ranking answers the questions."""
    ranks = [find_rank(ranker.rank(each.question), each.acceptable) for each in questions]
    return RetrievalScore(
        questions=len(ranks),
        recall={
            depth: compute_wilson_interval(sum(rank <= depth for rank in ranks), len(ranks))
            for depth in DEPTHS
        },
        mean_reciprocal_rank=sum(1.0 / rank for rank in ranks) / len(ranks),
    )


def find_rank(ranking: Sequence[str], acceptable: Sequence[str]) -> float:
    """Return the rank of the first acceptable document, from 1; infinity if there is none."""
    ranks = (rank for rank, each in enumerate(ranking, start=1) if each in acceptable)
    return next(ranks, math.inf)


def compute_wilson_interval(hits: int, total: int) -> Interval:
    """Return a share with its 95 % interval (Wilson 1927)."""
    share, z = hits / total, _NORMAL_QUANTILE
    centre = (share + z * z / (2 * total)) / (1 + z * z / total)
    spread = share * (1 - share) / total + z * z / (4 * total * total)
    half = z / (1 + z * z / total) * math.sqrt(spread)
    return Interval(share, max(0.0, centre - half), min(1.0, centre + half))
