"""Why a finding was not published: one record, formatted in one place."""

from datetime import UTC, datetime

import pytest

from trimtab.contracts.drift import Severity
from trimtab.contracts.monitoring import Suppression, SuppressionReason, format_suppression

REPEATED = Suppression(
    reason=SuppressionReason.ALREADY_ANNOUNCED,
    event_id="event-1",
    severity=Severity.HIGH,
    until=datetime(2026, 3, 2, 14, 30, tzinfo=UTC),
)


def test_repeated_drift_names_the_event_its_severity_and_the_next_possible_time() -> None:
    assert format_suppression(REPEATED) == (
        "the same drift was announced already as event-1 (high); it is not announced again before"
        " 2026-03-02 14:30 unless its severity rises"
    )


@pytest.mark.parametrize("reason", SuppressionReason)
def test_every_reason_has_a_text_of_its_own_without_details(reason: SuppressionReason) -> None:
    others = {
        format_suppression(Suppression(reason=each)) for each in SuppressionReason if each != reason
    }

    text = format_suppression(Suppression(reason=reason))

    assert text
    assert text not in others
    assert not text.endswith(".")


def test_a_suppression_survives_json() -> None:
    assert Suppression.model_validate_json(REPEATED.model_dump_json()) == REPEATED
