import pytest

from tests.pipelines.conftest import Run
from trimtab.contracts.model import Distribution
from trimtab.contracts.ports import Refused

WEEK = {"start": "2016-12-13T00:00:00Z", "end": "2016-12-20T00:00:00Z"}


@pytest.mark.parametrize("feature", ["SystemCodeNumber", "Capacity", "Occupancy", "prediction"])
def test_shares_of_reference_and_window_are_over_the_same_bins(parking: Run, feature: str) -> None:
    report = parking("distribution", feature=feature, **WEEK)

    found = Distribution.model_validate(report["distribution"])
    assert len(found.bins) == len(found.reference) == len(found.current)
    assert sum(found.reference) == pytest.approx(1)
    assert sum(found.current) == pytest.approx(1)


def test_a_column_that_is_not_monitored_is_refused_with_those_that_are(parking: Run) -> None:
    with pytest.raises(Refused, match=r"'Humour' is no column .* there are SystemCodeNumber,"):
        parking("distribution", feature="Humour", **WEEK)
