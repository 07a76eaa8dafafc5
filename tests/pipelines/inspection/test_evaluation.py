import pytest

from tests.pipelines.conftest import Run
from trimtab.contracts.ports import Refused

AS_OF = "2016-11-01T00:00:00Z"


def test_versions_are_measured_on_the_same_rows(parking: Run) -> None:
    (metric,) = parking("evaluation", versions=["1"], as_of=AS_OF, slice="recent")["metrics"]

    assert metric["version"] == "1"
    assert metric["metric"] == "r2"
    assert metric["rows"] == 3522
    assert metric["value"] == pytest.approx(0.899, abs=0.005)


def test_gate_and_verification_are_parts_of_the_window(parking: Run) -> None:
    rows = {
        part: parking("evaluation", versions=["1"], as_of=AS_OF, slice=part)["metrics"][0]["rows"]
        for part in ("recent", "gate", "verification")
    }

    assert 0 < rows["gate"] + rows["verification"] < rows["recent"]


def test_a_version_without_rows_has_no_metric(parking: Run) -> None:
    """There are no rows of 3 and 4 December."""
    report = parking("evaluation", versions=["1"], as_of="2016-12-06T00:00:00Z", slice="gate")

    assert report == {"metrics": []}


def test_an_unknown_version_is_refused(parking: Run) -> None:
    with pytest.raises(Refused, match="no version '99'"):
        parking("evaluation", versions=["99"], as_of=AS_OF, slice="recent")
