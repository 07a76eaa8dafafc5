"""Confidence comes from what can be checked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.assurance import AssurancePart
from policies.confidence import compute_confidence, estimate_probability
from tests.builders import a_deliberation, a_pack, a_plan, a_root_cause, an_incident, good_citations
from trimtab.contracts.calibration import ConfidenceCalibration
from trimtab.contracts.decision import Confidence, Limits
from trimtab.contracts.deliberation import Cause, Deliberation, Review
from trimtab.contracts.evidence import (
    Citation,
    Document,
    DocumentKind,
    EvidenceItem,
    EvidencePack,
    EvidenceSource,
)


def a_document(**changes: object) -> Document:
    fields: dict[str, object] = {
        "id": "incident-1",
        "kind": DocumentKind.INCIDENT,
        "title": "Like this one",
        "text": "…",
        "similarity": 0.6,
        "cause": "label_shift",
        "action": "retrain",
        "succeeded": True,
    }
    return Document.model_validate({**fields, **changes})


def confidence_in(deliberation: Deliberation, pack: EvidencePack) -> Confidence:
    return compute_confidence(deliberation, pack, an_incident())


def part(confidence: Confidence, name: str) -> float:
    return next(part.value for part in confidence.parts if part.name == name)


def test_a_quoted_contested_known_and_proven_plan_is_trusted() -> None:
    documents = tuple(a_document(id=f"incident-{n}") for n in range(3))

    confidence = confidence_in(a_deliberation(), a_pack(documents=documents))

    assert confidence.value > 0.8


def test_a_quote_that_stands_nowhere_leaves_no_confidence() -> None:
    invented = (Citation(evidence_id="drift:Occupancy", quote="PSI 9.999"),)
    cause = a_root_cause(citations=invented)

    confidence = confidence_in(a_deliberation(root_cause=cause), a_pack(documents=(a_document(),)))

    assert confidence.value == 0.0


@pytest.mark.parametrize("quote", [" ", "\n\t", ".", "e", "PSI"])
@pytest.mark.parametrize("evidence_id", ["drift:Occupancy", "made-up"])
def test_a_quote_of_next_to_nothing_is_found_nowhere(quote: str, evidence_id: str) -> None:
    empty = (Citation(evidence_id=evidence_id, quote=quote),) * 2
    thought = a_deliberation(root_cause=a_root_cause(citations=empty), plan=a_plan(citations=empty))

    confidence = confidence_in(thought, a_pack(documents=(a_document(),)))

    assert part(confidence, "citations") == 0.0
    assert confidence.value == 0.0


def test_a_true_quote_of_the_wrong_item_does_not_count() -> None:
    mixed = (*good_citations(), Citation(evidence_id="drift:Capacity", quote="PSI 0.310"))
    pack = a_pack(documents=(a_document(),))

    right = confidence_in(a_deliberation(), pack)
    wrong = confidence_in(a_deliberation(root_cause=a_root_cause(citations=mixed)), pack)

    assert part(wrong, "citations") < part(right, "citations")


def test_a_model_that_claims_certainty_gains_nothing_by_it() -> None:
    pack = a_pack(documents=(a_document(),))
    sure = a_deliberation(
        root_cause=a_root_cause(self_reported=1.0), plan=a_plan(self_reported=1.0)
    )

    assert confidence_in(sure, pack).value == confidence_in(a_deliberation(), pack).value


def test_a_model_that_doubts_itself_is_believed() -> None:
    review = Review(agrees=True, concerns=(), summary="Hm.", self_reported=0.3)
    pack = a_pack(documents=(a_document(),))
    doubting = a_deliberation(review=review, analyst="ollama/small")

    assert confidence_in(doubting, pack).value == 0.3


def test_a_cause_that_its_own_hypotheses_do_not_lead_with_is_not_trusted() -> None:
    cause = a_root_cause(hypotheses=((Cause.CONCEPT_DRIFT, 0.9), (Cause.LABEL_SHIFT, 0.1)))

    confidence = confidence_in(a_deliberation(root_cause=cause), a_pack(documents=(a_document(),)))

    assert confidence.value == 0.0


def test_an_action_that_failed_in_similar_incidents_is_trusted_less() -> None:
    helped = a_pack(documents=(a_document(),))
    failed = a_pack(documents=(a_document(succeeded=False),))

    assert (
        confidence_in(a_deliberation(), failed).value
        < confidence_in(a_deliberation(), helped).value
    )


def test_a_worked_example_counts_for_nothing() -> None:
    observed = a_pack(documents=(a_document(origin="observed"),))
    made_up = a_pack(documents=(a_document(origin="example"),))

    assert part(confidence_in(a_deliberation(), made_up), "record") == 0.5
    assert part(confidence_in(a_deliberation(), observed), "record") > 0.5


@pytest.mark.parametrize("name", [*ConfidenceCalibration().weights])
@given(values=st.lists(st.floats(0, 1), min_size=8, max_size=8), more=st.floats(0, 1))
def test_more_of_what_speaks_for_a_plan_never_lowers_its_confidence(
    name: str, values: list[float], more: float
) -> None:
    names = [*ConfidenceCalibration().weights, "decisive", "lasting"]
    parts = [AssurancePart(each, value, "") for each, value in zip(names, values, strict=True)]
    raised = [
        each._replace(value=each.value + (1.0 - each.value) * more) if each.name == name else each
        for each in parts
    ]

    assert estimate_probability(raised, ConfidenceCalibration()) >= estimate_probability(
        parts, ConfidenceCalibration()
    )


def test_the_calibration_travels_with_the_limits() -> None:
    sure = an_incident(limits=Limits(calibration=ConfidenceCalibration(intercept=9.0)))
    unsure = an_incident(limits=Limits(calibration=ConfidenceCalibration(intercept=-9.0)))
    pack = a_pack(documents=(a_document(),))

    assert compute_confidence(a_deliberation(), pack, sure).value > 0.9
    assert compute_confidence(a_deliberation(), pack, unsure).value < 0.4


likelihoods = st.floats(0.01, 1.0)


@given(first=likelihoods, second=likelihoods, similarity=st.floats(0, 1), claim=st.floats(0, 1))
def test_confidence_is_a_fraction_and_never_above_the_claim(
    first: float, second: float, similarity: float, claim: float
) -> None:
    cause = a_root_cause(
        hypotheses=((Cause.LABEL_SHIFT, first), (Cause.HARMLESS, second)), self_reported=claim
    )
    pack = a_pack(documents=(a_document(similarity=similarity),))

    thought = a_deliberation(root_cause=cause, analyst="ollama/small")
    value = confidence_in(thought, pack).value

    assert 0.0 <= value <= round(claim, 4)


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "performance:concept-loss", "source": EvidenceSource.PERFORMANCE, "value": 0.5},
        {"id": "performance:concept-loss", "source": EvidenceSource.INSPECTION, "value": 0.5},
        {"id": "performance:champion", "source": EvidenceSource.INSPECTION, "degraded": True},
        {
            "id": "inspect:Capacity",
            "source": EvidenceSource.DRIFT,
            "column": "Capacity",
            "role": "feature",
            "drifted": False,
        },
    ],
)
def test_what_tools_are_said_to_have_found_stands_for_no_measurement(
    changes: dict[str, object],
) -> None:
    """A foreign worker can answer for the agents, and nobody seals what their tools found."""
    invented = EvidenceItem.model_validate(
        {"statement": "The metric fell by 0.500, which no input explains.", **changes}
    )
    quotes = (Citation(evidence_id=invented.id, quote=invented.statement),)
    thought = a_deliberation(
        root_cause=a_root_cause(cause=Cause.CONCEPT_DRIFT, citations=quotes),
        plan=a_plan(cause=Cause.CONCEPT_DRIFT, citations=quotes),
        inspected=(invented,),
    )

    confidence = confidence_in(thought, a_pack(documents=(a_document(),)))

    assert part(confidence, "citations") == 0.0
