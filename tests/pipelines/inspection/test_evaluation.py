from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from tests.detection.windows import START, WEEK, make_spec
from tests.pipelines.conftest import Run
from tests.pipelines.learning.test_retraining import ORDER
from tests.pipelines.versions import sales, train_version
from trimtab.contracts.fitted import ServedModel
from trimtab.contracts.model import Slice
from trimtab.contracts.ports import Unavailable
from trimtab.pipelines.inspection.evaluation import measure_versions
from trimtab.pipelines.requests import EvaluationRequest

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

    assert report == {"metrics": [], "unscorable": [], "paired": []}


def test_an_unknown_version_hides_no_other(parking: Run) -> None:
    report = parking("evaluation", versions=["99", "1"], as_of=AS_OF, slice="recent")

    (metric,), (missing,) = report["metrics"], report["unscorable"]
    assert metric["version"] == "1"
    assert missing["version"] == "99"
    assert "no version '99'" in missing["reason"]


class Versions:
    """Version 1 works; 2 needs a column that is not there; 3 is in a store that is busy."""

    def __init__(self, rows: pd.DataFrame) -> None:
        self._works = train_version(rows, make_spec())

    def version(self, version: str) -> ServedModel:
        def load() -> Any:
            if version == "3":
                msg = "database is locked"
                raise Unavailable(msg)
            return Demanding()

        return self._works if version == "1" else replace(self._works, version=version, load=load)


class Demanding:
    """A model that was trained on other columns, with a name that would clear a terminal."""

    def predict(self, inputs: pd.DataFrame) -> Any:
        return inputs["weather\x1b[2J"]


def a_request(*versions: str) -> EvaluationRequest:
    return EvaluationRequest(
        model="sales", versions=versions, as_of=START + 3 * WEEK, slice=Slice.RECENT
    )


def test_a_version_with_other_columns_blinds_nothing() -> None:
    rows = sales()

    report: Any = measure_versions(rows, make_spec(), a_request("1", "2"), Versions(rows))  # type: ignore[arg-type] # the others are not asked for

    (metric,), (missing,) = report["metrics"], report["unscorable"]
    assert metric["version"] == "1"
    assert missing["version"] == "2"
    assert "KeyError" in missing["reason"]
    assert missing["reason"].isprintable()


def test_a_busy_store_is_tried_again_and_makes_no_version_unscorable() -> None:
    rows = sales()

    with pytest.raises(Unavailable):
        measure_versions(rows, make_spec(), a_request("1", "3"), Versions(rows))  # type: ignore[arg-type] # the others are not asked for


def test_a_preview_foretells_the_gate_and_registers_nothing(parking: Run) -> None:
    as_of = "2016-11-15T00:00:00Z"
    preview = parking("preview", as_of=as_of)
    made = parking("retraining", **{**ORDER, "key": "e" * 64, "as_of": as_of})
    versions = [preview["champion"], made["version"]]
    gate = parking("evaluation", versions=versions, as_of=as_of, slice="gate", baseline=versions[0])

    first, compared = preview["paired"][0], gate["paired"][0]
    assert not made["reused"]
    assert compared["challenger"] == made["version"]
    assert first["rows"] == compared["rows"] > 500
    assert first["after"] == pytest.approx(compared["after"])
    assert first["low"] == pytest.approx(compared["low"])
