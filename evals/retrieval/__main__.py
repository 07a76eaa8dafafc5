"""Prints how often the right runbook is found: `python -m evals.retrieval [--misses SPLIT]`."""

import argparse
from collections.abc import Mapping, Sequence

from evals.retrieval.measurement import (
    DEPTHS,
    FINDINGS,
    Question,
    QuestionSplit,
    RetrievalScore,
    find_rank,
    measure_retrieval,
    read_questions,
)
from evals.retrieval.rankings import Bm25Ranker, EncoderRanker, Ranker
from trimtab.adapters.knowledge.knowledge_article import read_articles
from trimtab.contracts.evidence import DocumentKind
from trimtab.runtime.paths import shipped_knowledge


def build_rankers() -> Mapping[str, Ranker]:
    """Return the rankers over the shipped runbooks, by name."""
    articles = read_articles([shipped_knowledge()])
    runbooks = [each for each in articles if each.kind is DocumentKind.RUNBOOK]
    return {"encoder": EncoderRanker(runbooks), "BM25": Bm25Ranker(runbooks)}


def main() -> None:
    """Print the figures of every split and ranker, and on request the encoder's misses."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--misses", choices=list(QuestionSplit), help="list the questions not found first"
    )
    wanted = parser.parse_args().misses
    rankers = build_rankers()
    for title, questions in (
        ("questions of people", read_questions()),
        ("Trimtab's own queries", read_questions(FINDINGS)),
    ):
        print_scores(title, questions, rankers)
    if wanted:
        chosen = [each for each in read_questions() if each.split == wanted]
        print_misses(chosen, rankers["encoder"])


def print_scores(title: str, questions: Sequence[Question], rankers: Mapping[str, Ranker]) -> None:
    """Print a line for each split and ranker."""
    for split in QuestionSplit:
        chosen = [each for each in questions if each.split is split]
        for name, ranker in rankers.items() if chosen else ():
            score = format_score(measure_retrieval(ranker, chosen))
            print(f"{title:22} {split:9} {name:8} {score}")


def format_score(score: RetrievalScore) -> str:
    """Return a score on one line."""
    recalls = (
        f"@{depth} {found.value:.2f} ({found.low:.2f} to {found.high:.2f})"
        for depth, found in ((depth, score.recall[depth]) for depth in DEPTHS)
    )
    return f"n {score.questions:3}  {'  '.join(recalls)}  MRR {score.mean_reciprocal_rank:.2f}"


def print_misses(questions: Sequence[Question], ranker: Ranker) -> None:
    """Print each question that is not answered by the first document."""
    for each in questions:
        ranking = ranker.rank(each.question)
        if find_rank(ranking, each.acceptable) > 1:
            print(f"- {each.question}\n    wanted {', '.join(each.acceptable)}")
            print(f"    found  {', '.join(ranking[:3])}")


if __name__ == "__main__":
    main()
