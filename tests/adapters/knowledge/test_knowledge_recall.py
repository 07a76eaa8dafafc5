"""Trimtab's own queries find their runbooks, with the shipped knowledge in a real Chroma.

People's questions are measured in `evals.retrieval`.
"""

from typing import Any

import pytest

from policies.knowledge_query import describe_finding
from tests.builders import a_feature_drift, a_finding
from trimtab.adapters.knowledge.chroma_client import open_chroma
from trimtab.adapters.knowledge.knowledge_base import ChromaKnowledgeBase
from trimtab.contracts.drift import DriftFinding, FeatureRole, PerformanceChange, QualityFault
from trimtab.contracts.evidence import DocumentKind
from trimtab.runtime.paths import shipped_knowledge
from trimtab.runtime.settings import Settings


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> ChromaKnowledgeBase:
    base = ChromaKnowledgeBase(open_chroma(Settings(home=tmp_path_factory.mktemp("home"))))
    base.index(shipped_knowledge())
    return base


def runbooks(base: ChromaKnowledgeBase, question: str) -> list[str]:
    """The three best."""
    found = base.search(question, limit=6)
    return [each.id for each in found if each.kind is DocumentKind.RUNBOOK]


def a_case(*roles: FeatureRole, faults: tuple[str, ...] = (), degraded: bool | None) -> Any:
    change = None
    if degraded is not None:
        change = PerformanceChange(
            metric="r2", reference=0.9, current=0.8, rows=900, degraded=degraded
        )
    return a_finding(
        features=tuple(a_feature_drift(f"column {n}", role=role) for n, role in enumerate(roles)),
        quality=tuple(
            QualityFault.model_validate({"kind": kind, "detail": "seen"}) for kind in faults
        ),
        performance=change,
    )


INPUT, TARGET, PREDICTION = FeatureRole.FEATURE, FeatureRole.TARGET, FeatureRole.PREDICTION


@pytest.mark.parametrize(
    ("finding", "wanted"),
    [
        (a_case(INPUT, faults=("nulls",), degraded=True), "null-spike-upstream"),
        (a_case(INPUT, INPUT, faults=("nulls",), degraded=None), "null-spike-upstream"),
        (a_case(INPUT, faults=("unit_change",), degraded=True), "unit-or-scale-change"),
        (a_case(faults=("missing_column",), degraded=None), "schema-change-missing-column"),
        (a_case(INPUT, faults=("unseen_category",), degraded=True), "new-category"),
        (a_case(INPUT, faults=("stale",), degraded=True), "stale-feed-sensor-outage"),
        (a_case(INPUT, faults=("duplicates",), degraded=False), "duplicate-rows"),
        (a_case(TARGET, faults=("range",), degraded=True), "out-of-range-values"),
        (a_case(INPUT, faults=("constant",), degraded=True), "constant-or-default-filled-column"),
        (a_case(INPUT, INPUT, degraded=True), "covariate-shift-new-segment"),
        (a_case(TARGET, degraded=True), "label-shift"),
        (a_case(TARGET, INPUT, degraded=True), "christmas-trading-season"),
        (a_case(TARGET, INPUT, degraded=False), "seasonality-recurring-pattern"),
        (a_case(INPUT, INPUT, INPUT, degraded=False), "harmless-large-sample-drift"),
        (a_case(INPUT, INPUT, degraded=None), "delayed-labels"),
        (a_case(INPUT, faults=("few_rows",), degraded=None), "small-window"),
        (a_case(PREDICTION, degraded=True), "bad-release"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_trimtab_s_own_question_finds_the_runbook_among_three(
    shipped: ChromaKnowledgeBase, finding: DriftFinding, wanted: str
) -> None:
    assert wanted in runbooks(shipped, describe_finding(finding))


def test_trimtab_s_own_question_finds_incidents_too(shipped: ChromaKnowledgeBase) -> None:
    found = shipped.search(describe_finding(a_case(INPUT, faults=("nulls",), degraded=True)))

    incidents = [each for each in found if each.kind is DocumentKind.INCIDENT]
    assert incidents[0].id == "example-weather-feed-nulls"
    assert incidents[0].similarity > 0.8


@pytest.mark.parametrize(
    ("roles", "beyond", "cause"),
    [
        ((), 0.09, "concept_drift"),
        ((INPUT,), 0.09, "concept_drift"),
        ((TARGET,), 0.09, "concept_drift"),
        ((TARGET, INPUT), 0.09, "concept_drift"),
        ((INPUT,), 0.0, "covariate_shift"),
        ((TARGET, INPUT), 0.0, "covariate_shift"),
        ((TARGET,), 0.0, "label_shift"),
    ],
)
def test_a_loss_that_was_parted_finds_cases_of_its_cause(
    shipped: ChromaKnowledgeBase, roles: tuple[FeatureRole, ...], beyond: float, cause: str
) -> None:
    finding = a_case(*roles, degraded=True).model_copy(update={"concept_loss": beyond})

    assert cause in [each.cause for each in shipped.search(describe_finding(finding), limit=5)]
