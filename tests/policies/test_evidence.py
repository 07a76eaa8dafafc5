"""Evidence is made of statements that can be quoted, each under its own id."""

from datetime import timedelta

import pytest

from policies.evidence import compose_evidence, select_versions_to_measure
from policies.knowledge_query import describe_finding
from tests.builders import NOW, a_feature_drift, a_finding
from trimtab.contracts.drift import (
    FeatureKind,
    FeatureRole,
    MultivariateDrift,
    PerformanceChange,
    PerformanceEstimate,
    QualityFault,
)
from trimtab.contracts.evidence import EvidenceItem, RegistryFacts
from trimtab.contracts.model import ModelVersion, UnscorableVersion, VersionMetric


def a_version(version: str) -> ModelVersion:
    return ModelVersion(model="parking", version=version, created_at=NOW)


def the_registry(champion: str | None = "2") -> RegistryFacts:
    versions = tuple(a_version(version) for version in ("4", "3", "2", "1"))
    return RegistryFacts(
        champion=next((one for one in versions if one.version == champion), None),
        versions=versions,
        last_action_at=NOW - timedelta(days=1),
    )


def test_every_item_has_an_id_of_its_own_and_a_statement() -> None:
    twin = a_feature_drift("Capacity", role=FeatureRole.FEATURE, kind=FeatureKind.NUMERIC)
    finding = a_finding(features=(a_feature_drift(), twin, twin))
    metrics = (VersionMetric(version="2", metric="r2", value=0.78, rows=3000),)

    pack = compose_evidence(finding, the_registry(), metrics, (), now=NOW)

    ids = [item.id for item in pack.items]
    assert len(ids) == len(set(ids))
    assert {"drift:Occupancy", "drift:Capacity", "performance:champion", "metric:version-2"} <= set(
        ids
    )
    assert all(item.statement.endswith(".") for item in pack.items)


def test_what_an_item_says_is_in_its_fields_too() -> None:
    fault = QualityFault(kind="nulls", column="Capacity", detail="Half is empty.", fraction=0.5)
    metrics = (VersionMetric(version="2", metric="r2", value=0.78, rows=3000),)
    finding = a_finding(quality=(fault,), estimate=ESTIMATE, multivariate=APART)

    pack = compose_evidence(finding, the_registry(), metrics, (), now=NOW)

    items = {item.id: item for item in pack.items}
    moved = items["drift:Occupancy"]
    assert (moved.column, moved.role, moved.drifted) == ("Occupancy", FeatureRole.TARGET, True)
    broken = items["quality:nulls:Capacity"]
    assert (broken.column, broken.fault) == ("Capacity", "nulls")
    assert items["performance:champion"].degraded is True
    assert items["performance:estimate"].degraded is False
    assert items["multivariate:rows"].drifted is True
    assert items["metric:version-2"].version == "2"
    assert items["registry:version-4"].version == "4"


def test_a_version_that_cannot_be_scored_is_named_and_hides_no_other() -> None:
    measured = (
        VersionMetric(version="2", metric="r2", value=0.78, rows=3000),
        UnscorableVersion(version="3", reason="KeyError: 'weather'"),
    )

    pack = compose_evidence(a_finding(), the_registry(), measured, (), now=NOW)

    missing = pack.find_item("unscorable:version-3")
    assert missing is not None
    assert "Version 3 (not the champion) cannot be scored" in missing.statement
    assert "'weather'" in missing.statement
    assert (missing.version, missing.value) == ("3", None)
    assert pack.find_item("metric:version-2") is not None


@pytest.mark.parametrize("length", [1, 122, 123, 128])
def test_a_column_with_a_long_name_keeps_its_items(length: int) -> None:
    names = ("x" * length, "y" * (length - 1) + "a", "y" * (length - 1) + "b")
    finding = a_finding(
        features=tuple(a_feature_drift(name) for name in names),
        quality=tuple(
            QualityFault(kind="unseen_category", column=name, detail="New.") for name in names
        ),
    )

    pack = compose_evidence(finding, the_registry(), (), (), now=NOW)

    drifts = [item.column for item in pack.items if item.role is not None]
    faults = [item.column for item in pack.items if item.fault is not None]
    assert drifts == faults == list(names)


def test_an_item_of_a_history_without_these_fields_is_still_read() -> None:
    old = {"id": "drift:Occupancy", "source": "drift", "statement": "It moved.", "value": 0.3}

    item = EvidenceItem.model_validate(old)

    assert (item.column, item.drifted, item.version) == (None, None, None)


def test_a_statement_carries_its_figure() -> None:
    pack = compose_evidence(a_finding(), the_registry(), (), (), now=NOW)

    item = pack.find_item("drift:Occupancy")
    assert item is not None
    assert "PSI 0.310" in item.statement
    assert item.value == 0.31


def test_without_labels_no_performance_is_claimed() -> None:
    pack = compose_evidence(a_finding(performance=None), the_registry(), (), (), now=NOW)

    assert pack.find_item("performance:champion") is None
    assert "No labels" in describe_finding(a_finding(performance=None))


def test_the_champion_is_measured_first_and_only_a_few_others() -> None:
    assert select_versions_to_measure(the_registry(), before=NOW) == ("2", "4", "3")
    assert select_versions_to_measure(the_registry(champion=None), before=NOW) == ()


def test_a_registry_without_champion_says_so() -> None:
    pack = compose_evidence(a_finding(), the_registry(champion=None), (), (), now=NOW)

    assert pack.champion_version is None
    assert pack.find_item("registry:champion") is None


def test_the_description_names_what_to_look_for() -> None:
    fault = QualityFault(kind="unit_change", detail="Values are 100 times larger.", corrupt=True)
    fine = PerformanceChange(metric="r2", reference=0.9, current=0.9, rows=10, degraded=False)

    text = describe_finding(a_finding(quality=(fault,), performance=fine))

    assert "another unit" in text
    assert "harmless" in text


ESTIMATE = PerformanceEstimate(
    metric="r2", reference=0.926, estimated=0.92, rows=3000, method="direct_loss", degraded=False
)
APART = MultivariateDrift(
    auc=0.71, low=0.7, high=0.72, rows=3000, importance={"Capacity": 0.2}, drifted=True
)


def test_what_tells_covariate_shift_from_concept_drift_can_be_cited() -> None:
    finding = a_finding(estimate=ESTIMATE, multivariate=APART, concept_loss=0.134)

    pack = compose_evidence(finding, the_registry(), (), (), now=NOW)

    said = {item.id: item.statement for item in pack.items}
    assert "expected to be 0.920 on 3000 rows" in said["performance:estimate"]
    assert said["performance:concept-loss"].startswith("0.134 of the lost metric is more than")
    assert "AUC of 0.710" in said["multivariate:rows"]
    assert "mostly by Capacity" in said["multivariate:rows"]


def test_what_was_not_estimated_is_not_claimed() -> None:
    pack = compose_evidence(a_finding(), the_registry(), (), (), now=NOW)

    ids = {item.id for item in pack.items}
    assert not ids & {"performance:estimate", "performance:concept-loss", "multivariate:rows"}


def test_a_loss_that_chance_explains_is_no_concept_drift() -> None:
    pack = compose_evidence(a_finding(concept_loss=0.0), the_registry(), (), (), now=NOW)

    item = pack.find_item("performance:concept-loss")
    assert item is not None
    assert "no concept drift" in item.statement


def test_a_drifted_feature_says_what_it_may_cost() -> None:
    costly = a_feature_drift("Capacity", role=FeatureRole.FEATURE, impact=0.042)

    item = compose_evidence(
        a_finding(features=(costly,)), the_registry(), (), (), now=NOW
    ).find_item("drift:Capacity")

    assert item is not None
    assert "may cost 0.042 of the metric" in item.statement
