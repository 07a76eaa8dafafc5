"""Retrieval is measured on questions that nothing was tuned to, and stays above a loose floor."""

import math

import pytest

from evals.retrieval.__main__ import build_rankers, format_score
from evals.retrieval.measurement import (
    FINDINGS,
    Question,
    QuestionSplit,
    compute_wilson_interval,
    find_rank,
    measure_retrieval,
    read_questions,
)
from evals.retrieval.rankings import EncoderRanker, Ranker
from tests.knowledge.test_documents import RUNBOOKS
from trimtab.runtime.paths import shipped_knowledge

QUESTIONS = read_questions()


@pytest.fixture(scope="module")
def encoder() -> Ranker:
    return build_rankers()["encoder"]


def test_there_are_a_hundred_questions_of_which_half_are_held_out() -> None:
    held_out = [each for each in QUESTIONS if each.split is QuestionSplit.HELD_OUT]

    assert len(held_out) >= 100
    assert len(QUESTIONS) >= 2 * len(held_out)
    assert len({each.question.casefold() for each in QUESTIONS}) == len(QUESTIONS)


def test_every_answer_is_a_runbook_and_every_runbook_is_asked_for() -> None:
    ids = {article.id for article in RUNBOOKS}
    held_out = [each for each in QUESTIONS if each.split is QuestionSplit.HELD_OUT]

    assert {each for question in QUESTIONS for each in question.acceptable} <= ids
    assert {each for question in held_out for each in question.acceptable} == ids


def test_no_question_is_a_copy_of_a_document_s_words() -> None:
    keys = {key.casefold() for article in RUNBOOKS for key in article.keys}

    assert [each.question for each in QUESTIONS if each.question.casefold() in keys] == []


@pytest.mark.parametrize(
    ("split", "first", "five"),
    [(QuestionSplit.TUNING, 0.65, 0.85), (QuestionSplit.HELD_OUT, 0.25, 0.45)],
)
def test_people_s_questions_find_their_runbook(
    encoder: Ranker, split: QuestionSplit, first: float, five: float
) -> None:
    score = measure_retrieval(encoder, [each for each in QUESTIONS if each.split is split])

    assert score.recall[1].value >= first, format_score(score)
    assert score.recall[5].value >= five, format_score(score)


def test_findings_find_their_runbook(encoder: Ranker) -> None:
    score = measure_retrieval(encoder, read_questions(FINDINGS))

    assert score.recall[3].value >= 0.8, format_score(score)


def test_the_encoder_is_no_worse_than_its_peer(encoder: Ranker) -> None:
    peer = build_rankers()["BM25"]
    held_out = [each for each in QUESTIONS if each.split is QuestionSplit.HELD_OUT]

    ours = measure_retrieval(encoder, held_out).mean_reciprocal_rank
    theirs = measure_retrieval(peer, held_out).mean_reciprocal_rank

    assert ours >= theirs


def test_ranks_and_intervals_are_computed_as_defined() -> None:
    assert find_rank(["a", "b", "c"], ("c", "b")) == 2
    assert find_rank(["a"], ("b",)) == math.inf
    share, low, high = compute_wilson_interval(9, 10)
    assert (share, round(low, 3), round(high, 3)) == (0.9, 0.596, 0.982)
    question = Question(question="where?", acceptable=("x",), split=QuestionSplit.TUNING)

    class Fixed:
        def rank(self, _query: str) -> list[str]:
            return ["y", "x"]

    score = measure_retrieval(Fixed(), [question])
    assert (score.recall[1].value, score.recall[3].value) == (0.0, 1.0)
    assert score.mean_reciprocal_rank == 0.5


def test_the_encoder_ranks_like_the_knowledge_base() -> None:
    assert shipped_knowledge().is_dir()
    assert EncoderRanker(RUNBOOKS).rank(RUNBOOKS[0].keys[0])[0] == RUNBOOKS[0].id
