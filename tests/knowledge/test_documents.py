"""The shipped runbooks and incidents are valid, of substance, and honest about what they are."""

import re
from collections import Counter
from pathlib import Path
from typing import Final, get_args

import duckdb
import pytest

from policies.knowledge_query import FindingSigns, PerformanceSign, format_query
from trimtab.adapters.knowledge.embedding import MAX_TOKENS
from trimtab.adapters.knowledge.knowledge_article import (
    Article,
    Origin,
    extract_opening,
    read_articles,
)
from trimtab.contracts.deliberation import DATA_CAUSES, Cause
from trimtab.contracts.drift import FaultKind
from trimtab.contracts.evidence import DocumentKind
from trimtab.contracts.remediation import Action
from trimtab.runtime.paths import shipped_knowledge

ARTICLES: Final = read_articles([shipped_knowledge()])
RUNBOOKS: Final = [each for each in ARTICLES if each.kind is DocumentKind.RUNBOOK]
INCIDENTS: Final = [each for each in ARTICLES if each.kind is DocumentKind.INCIDENT]

RUNBOOK_SECTIONS: Final = [
    "Symptoms", "Look-alikes", "Check first", "Do", "Do not", "Verify", "References",
]  # fmt: skip
INCIDENT_SECTIONS: Final = ["Evidence", "Cause", "Action", "Outcome", "Learnt"]
NOTICE: Final = (
    "> Worked example, written for Trimtab: plausible figures, not an observed incident."
)

QUERY_ENDS: Final = ("drifted.", "moved.", "label shift.", "degraded.", "harmless.", " come yet.")
"""How Trimtab's own queries end; several documents may fit the same finding."""

TABLE: Final = {
    "TS": "TIMESTAMP '2026-11-20 12:00:00'",
    "VALUE": "1.5",
    "SITE": "'north'",
    "SEGMENT": "'new'",
    "KEY": "'k'",
    "TARGET": "1.0",
    "PREDICTION": "0.9",
    "DECISION": "'shown'",
    "LABELLED": "true",
}
"""A history of one row, with the columns that the runbooks' queries speak of."""
FILLED_IN: Final = {
    "COLUMN": "VALUE", "WINDOW_START": "TIMESTAMP '2026-11-14'", "MINIMUM": "0", "MAXIMUM": "1",
}  # fmt: skip


def _named(article: Article) -> str:
    return article.id


def _sections(article: Article) -> list[str]:
    return re.findall(r"^## (.+)$", article.text, flags=re.MULTILINE)


def _blocks(article: Article, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", article.text, flags=re.MULTILINE | re.DOTALL)


def _statements(article: Article) -> list[str]:
    blocks = "\n".join(_blocks(article, "sql"))
    return [statement.strip() for statement in blocks.split(";") if statement.strip()]


def test_there_are_enough_runbooks_and_incidents() -> None:
    assert len(RUNBOOKS) >= 40
    assert len(INCIDENTS) >= 10


def test_kinds_lie_in_their_own_folders() -> None:
    for folder, articles in (("runbooks", RUNBOOKS), ("incidents", INCIDENTS)):
        files = {file.stem for file in (shipped_knowledge() / folder).glob("*.md")}

        assert files == {article.id for article in articles}


def test_every_cause_has_a_runbook() -> None:
    assert {article.cause for article in RUNBOOKS} == set(Cause)


def test_every_kind_of_fault_leads_to_a_runbook() -> None:
    queries = " ".join(key for article in RUNBOOKS for key in article.keys)

    for kind in get_args(FaultKind):
        query = format_query(FindingSigns(frozenset(), (kind,), PerformanceSign.UNKNOWN))

        assert query.partition(".")[0].lower() in queries.lower(), kind


def test_faults_of_the_data_are_fixed_at_their_source() -> None:
    faults = [article for article in RUNBOOKS if article.cause in DATA_CAUSES]

    assert {article.action for article in faults} == {Action.FIX_SOURCE}


def test_titles_and_keys_are_unique() -> None:
    titles = Counter(article.title for article in ARTICLES)
    phrases = Counter(key for article in ARTICLES for key in set(article.keys))
    queries = {key for key in phrases if key.endswith(QUERY_ENDS)}

    assert max(titles.values()) == 1
    assert {key for key, count in phrases.items() if count > 1} <= queries


@pytest.mark.parametrize("article", RUNBOOKS, ids=_named)
def test_a_runbook_has_all_its_sections_and_between_150_and_450_words(article: Article) -> None:
    assert _sections(article) == RUNBOOK_SECTIONS
    assert 150 <= len(article.text.split()) <= 450


@pytest.mark.parametrize("article", INCIDENTS, ids=_named)
def test_an_incident_has_all_its_sections_and_between_150_and_450_words(article: Article) -> None:
    assert _sections(article) == INCIDENT_SECTIONS
    assert 150 <= len(article.text.split()) <= 450


@pytest.mark.parametrize("article", RUNBOOKS, ids=_named)
def test_a_runbook_names_works_with_their_titles(article: Article) -> None:
    references = article.text.partition("## References")[2].strip().splitlines()

    assert references
    assert all(re.match(r"- .+\"[A-Z].+\"", line) for line in references)
    assert any(re.search(r"\b(19|20)\d\d\b", line) for line in references)


@pytest.mark.parametrize("article", INCIDENTS, ids=_named)
def test_an_incident_says_that_it_is_a_worked_example(article: Article) -> None:
    assert article.origin is Origin.EXAMPLE
    assert article.id.startswith("example-")
    assert article.text.startswith(NOTICE)


@pytest.mark.parametrize("article", INCIDENTS, ids=_named)
def test_an_incident_s_evidence_has_figures(article: Article) -> None:
    evidence = article.text.partition("## Evidence")[2].partition("\n## ")[0]

    assert len(re.findall(r"\d", evidence)) >= 8


def test_incidents_tell_of_success_and_failure() -> None:
    outcomes = {(article.action, article.succeeded) for article in INCIDENTS}
    actions = (Action.MONITOR, Action.RETRAIN, Action.ROLL_BACK)

    assert outcomes >= {(action, helped) for action in actions for helped in (True, False)}
    assert (Action.FIX_SOURCE, True) in outcomes


@pytest.mark.parametrize("article", ARTICLES, ids=_named)
def test_an_opening_is_short_enough_to_be_read_whole(article: Article) -> None:
    words = len(extract_opening(article.text).split())

    assert 20 <= words <= 80
    assert 2 * words < MAX_TOKENS


@pytest.mark.parametrize("article", ARTICLES, ids=_named)
def test_trimtab_s_own_question_leads_to_it_or_people_s_words_do(article: Article) -> None:
    assert len(article.keys) >= 2


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(statement, id=article.id)
        for article in RUNBOOKS
        for statement in _statements(article)
    ],
)
def test_a_runbook_s_queries_run(statement: str) -> None:
    columns = ", ".join(f"{value} AS {name}" for name, value in TABLE.items())
    for word, value in FILLED_IN.items():
        statement = re.sub(rf"\b{word}\b", value, statement)

    with duckdb.connect() as database:
        database.execute(f"CREATE TABLE HISTORY AS SELECT {columns}")
        database.execute(statement).fetchall()


@pytest.mark.parametrize("article", RUNBOOKS, ids=_named)
def test_a_runbook_s_python_is_python(article: Article) -> None:
    for block in _blocks(article, "python"):
        compile(block, article.id, "exec")


def test_the_guide_s_pattern_of_a_runbook_is_a_valid_one(tmp_path: Path) -> None:
    guide = (shipped_knowledge() / "README.md").read_text(encoding="utf-8")
    pattern = guide.partition("```markdown\n")[2].partition("```")[0]
    (tmp_path / "null-spike-upstream.md").write_text(pattern, encoding="utf-8")

    (article,) = read_articles([tmp_path])

    assert _sections(article) == RUNBOOK_SECTIONS
