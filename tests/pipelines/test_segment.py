import pytest

from contracts.model import SegmentMetric
from contracts.ports import Refused
from tests.pipelines.conftest import Run

WEEK = {"start": "2016-10-25T00:00:00Z", "end": "2016-11-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("feature", "segment"), [("SystemCodeNumber", "BHMBCCMKT01"), ("weekday", "5"), ("hour", "9")]
)
def test_a_category_is_measured_then_and_now(parking: Run, feature: str, segment: str) -> None:
    report = parking("segment", feature=feature, segment=segment, **WEEK)

    found = SegmentMetric.model_validate(report["segment"])
    assert found.rows > 0
    assert found.reference is not None
    assert found.current is not None


def test_a_category_that_does_not_occur_has_no_metric(parking: Run) -> None:
    report = parking("segment", feature="SystemCodeNumber", segment="the moon", **WEEK)

    found = SegmentMetric.model_validate(report["segment"])
    assert (found.reference, found.current, found.rows) == (None, None, 0)


def test_a_number_is_no_segment(parking: Run) -> None:
    with pytest.raises(Refused, match="these do: SystemCodeNumber, hour, weekday"):
        parking("segment", feature="Capacity", segment="500", **WEEK)
