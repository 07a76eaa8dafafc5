"""A quote supports a cause only if its item bears on it and its figure has the right sign."""

from typing import Any

import pytest

from policies.citations import Claim, list_supporting_ids
from policies.evidence import compose_evidence
from tests.builders import NOW, a_deliberation, a_feature_drift, a_finding, a_plan, a_root_cause
from tests.policies.test_confidence import a_document, confidence_in, part
from tests.policies.test_evidence import APART, ESTIMATE
from tests.policies.test_rollback import FIRST, PROMOTED, a_registry, a_version
from trimtab.contracts.deliberation import Cause
from trimtab.contracts.drift import FeatureRole, PerformanceChange, QualityFault
from trimtab.contracts.evidence import Citation, EvidencePack
from trimtab.contracts.model import VersionMetric
from trimtab.contracts.remediation import Action

REGISTRY = a_registry(
    a_version("12", PROMOTED), a_version("11", PROMOTED), a_version("2", FIRST), champion="11"
)
FEATURE = a_feature_drift("Capacity", role=FeatureRole.FEATURE)
STABLE = a_feature_drift("Hour", role=FeatureRole.FEATURE, psi=0.01, drifted=False)
FINE = PerformanceChange(metric="r2", reference=0.92, current=0.92, rows=3000, degraded=False)


def a_full_pack(values: dict[str, float] | None = None, **changes: Any) -> EvidencePack:
    metrics = [
        VersionMetric(version=version, metric="r2", value=value, rows=600)
        for version, value in (values or {}).items()
    ]
    fields: dict[str, Any] = {"features": (a_feature_drift(), FEATURE, STABLE), **changes}
    return compose_evidence(a_finding(**fields), REGISTRY, metrics, (a_document(),), now=NOW)


def supporting(cause: Cause, pack: EvidencePack, target: str | None = None) -> set[str]:
    return set(list_supporting_ids(pack.items, Claim(cause, pack.champion_version, target)))


LOSS, TARGET, INPUT, STILL = (
    "performance:champion",
    "drift:Occupancy",
    "drift:Capacity",
    "drift:Hour",
)


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (Cause.LABEL_SHIFT, {LOSS, TARGET, STILL}),
        (Cause.COVARIATE_SHIFT, {LOSS, INPUT}),
        (Cause.CONCEPT_DRIFT, {LOSS, STILL}),
        (Cause.SEASONALITY, {LOSS, TARGET, INPUT}),
        (Cause.HARMLESS, {TARGET, INPUT, STILL}),
        (Cause.UNKNOWN, {TARGET, INPUT}),
        (Cause.DATA_QUALITY, {LOSS}),
        (Cause.BAD_RELEASE, {LOSS}),
    ],
)
def test_items_speak_for_the_causes_that_they_bear_on(cause: Cause, expected: set[str]) -> None:
    assert supporting(cause, a_full_pack()) == expected


def test_a_metric_that_holds_speaks_for_harmless_drift_and_for_no_loss() -> None:
    fine = a_full_pack(performance=FINE)

    assert LOSS in supporting(Cause.HARMLESS, fine)
    assert LOSS not in supporting(Cause.CONCEPT_DRIFT, fine)


def test_estimates_speak_by_their_sign() -> None:
    pack = a_full_pack(estimate=ESTIMATE, multivariate=APART, concept_loss=0.1)

    assert "performance:concept-loss" in supporting(Cause.CONCEPT_DRIFT, pack)
    assert "performance:concept-loss" not in supporting(Cause.COVARIATE_SHIFT, pack)
    assert "multivariate:rows" in supporting(Cause.COVARIATE_SHIFT, pack)
    assert "performance:estimate" not in supporting(Cause.COVARIATE_SHIFT, pack)


def test_a_fault_and_the_column_that_it_moved_speak_for_broken_data() -> None:
    fault = QualityFault(kind="nulls", column="Capacity", detail="Half is empty.", fraction=0.5)
    new = QualityFault(kind="new_column", column="Extra", detail="It is new.", fraction=1.0)

    found = supporting(Cause.DATA_QUALITY, a_full_pack(quality=(fault, new)))

    assert found == {LOSS, INPUT, "quality:nulls:Capacity"}


def test_a_bad_metric_of_a_version_does_not_speak_for_a_rollback_to_it() -> None:
    pack = a_full_pack({"11": 0.935, "2": -0.052, "12": 0.99})

    assert supporting(Cause.BAD_RELEASE, pack, "12") == {LOSS}
    assert supporting(Cause.BAD_RELEASE, pack, "2") == {LOSS}


def test_a_better_metric_of_an_earlier_version_speaks_for_a_rollback_to_it_alone() -> None:
    pack = a_full_pack({"11": 0.5, "2": 0.935})

    assert supporting(Cause.BAD_RELEASE, pack, "2") == {
        LOSS,
        "metric:version-2",
        "metric:version-11",
    }
    assert supporting(Cause.BAD_RELEASE, pack, "1") == {LOSS}


def cite(pack: EvidencePack, *ids: str) -> tuple[Citation, ...]:
    """Copy the statements word for word."""
    return tuple(
        Citation(evidence_id=item.id, quote=item.statement[:400])
        for item in pack.items
        if item.id in ids
    )


def test_copied_quotes_that_do_not_support_the_plan_leave_no_confidence() -> None:
    pack = a_full_pack({"11": 0.935, "2": -0.052}, performance=FINE)
    quotes = cite(
        pack, "metric:version-2", "metric:version-11", "registry:version-2", "window:rows"
    )
    hijacked = a_deliberation(
        root_cause=a_root_cause(
            cause=Cause.BAD_RELEASE, hypotheses=((Cause.BAD_RELEASE, 1.0),), citations=quotes
        ),
        plan=a_plan(
            action=Action.ROLL_BACK, cause=Cause.BAD_RELEASE, target_version="2", citations=quotes
        ),
    )

    confidence = confidence_in(hijacked, pack)

    assert len(quotes) == 4
    assert part(confidence, "citations") == confidence.value == 0.0


def test_an_item_beside_the_point_counts_as_not_found() -> None:
    pack = a_full_pack()
    good = cite(pack, LOSS, TARGET)
    padded = (*good, *cite(pack, "registry:champion", "window:rows"))

    alone = confidence_in(a_deliberation(root_cause=a_root_cause(citations=good)), pack)
    diluted = confidence_in(a_deliberation(root_cause=a_root_cause(citations=padded)), pack)

    assert part(alone, "citations") == 1.0
    assert part(diluted, "citations") == 0.5
