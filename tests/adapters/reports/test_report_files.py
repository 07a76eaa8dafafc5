"""Reports that the libraries really wrote (tests/fixtures/make_reports.py) are understood."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.builders import NOW, a_spec, an_event
from trimtab.adapters.reports.cloudevents import read_cloudevents
from trimtab.adapters.reports.event import build_event
from trimtab.adapters.reports.evidently import read_evidently
from trimtab.adapters.reports.nannyml import read_nannyml
from trimtab.adapters.reports.report import ForeignReport, MalformedReportError
from trimtab.contracts.drift import (
    DriftEvent,
    FeatureKind,
    FeatureRole,
    PerformanceChange,
    PerformanceEstimate,
    Window,
)
from trimtab.contracts.model import Feature, Task

FIXTURES = Path(__file__).parents[2] / "fixtures"
WEEK = timedelta(days=7)
WINDOW = Window(start=NOW - WEEK, end=NOW, rows=231)
REFERENCE = Window(start=NOW - 4 * WEEK, end=NOW - WEEK, rows=0)
NANNYML = ("nannyml.csv", "nannyml.json", "nannyml.parquet")


def evidently(name: str) -> ForeignReport:
    return read_evidently((FIXTURES / name).read_bytes())


def drifted(report: ForeignReport) -> set[str]:
    return {each.name for each in report.features if each.drifted}


def event(report: ForeignReport, **spec: Any) -> DriftEvent:
    return build_event(report, a_spec(**spec), current=WINDOW, reference=REFERENCE)


@pytest.mark.parametrize("name", ["evidently.json", "evidently_0_4.json"])
def test_evidentlys_p_values_say_which_columns_drifted(name: str) -> None:
    report = evidently(name)

    assert drifted(report) == {"Occupancy", "SystemCodeNumber"}
    by_name = {each.name: each for each in report.features}
    assert by_name["SystemCodeNumber"].kind is FeatureKind.CATEGORICAL
    assert by_name["Capacity"].p_value == pytest.approx(0.4045, abs=1e-4)
    assert "K-S p_value" in by_name["Capacity"].why
    assert [each.drifted for each in report.features] == [True, True, False]


def test_both_forms_of_evidently_say_the_same_of_the_same_tables() -> None:
    new, old = evidently("evidently.json"), evidently("evidently_0_4.json")

    assert [(each.name, each.p_value) for each in new.features] == [
        (each.name, each.p_value) for each in old.features
    ]
    assert old.detector == "evidently 0.4.40"
    assert old.made_at is not None
    assert new.rows == 231


def test_a_distance_is_drift_when_it_is_great() -> None:
    report = evidently("evidently_psi.json")

    assert drifted(report) == {"Occupancy", "SystemCodeNumber"}
    assert {each.name: round(each.psi, 2) for each in report.features} == {
        "Capacity": 0.07, "Occupancy": 0.11, "SystemCodeNumber": 0.35,
    }  # fmt: skip
    assert {each.p_value for each in report.features} == {None}


@pytest.mark.parametrize("name", NANNYML)
def test_nannyml_tells_its_newest_chunk_and_its_reference(name: str) -> None:
    report = read_nannyml(FIXTURES / name)

    assert report.current == Window(
        start=datetime(2016, 12, 12, tzinfo=UTC), end=datetime(2016, 12, 19, tzinfo=UTC), rows=231
    )
    assert report.reference is not None
    assert report.reference.start <= datetime(2016, 10, 4, tzinfo=UTC)
    assert report.reference.rows == 597
    assert drifted(report)
    assert "(alert)" in report.features[0].why


def test_all_forms_of_nannyml_are_one_event() -> None:
    ids = {event(read_nannyml(FIXTURES / name)).id for name in NANNYML}

    assert len(ids) == 1


def test_nannyml_tells_realised_performance_of_its_newest_whole_chunk() -> None:
    report = read_nannyml(FIXTURES / "nannyml_realised.csv")

    by_metric = {each.metric: each for each in report.performances}
    area = by_metric["roc_auc"]
    assert isinstance(area, PerformanceChange)
    assert (round(area.reference, 4), round(area.current, 4)) == (0.9710, 0.9588)
    assert (area.rows, area.degraded) == (10_000, True)
    assert report.rows == 10_000, "the ten rows that were left over are no window"
    assert set(by_metric) == {"f1", "roc_auc"}
    assert not report.features


def test_nannyml_tells_estimated_performance_of_classifiers_and_regressors() -> None:
    classifier = read_nannyml(FIXTURES / "nannyml_cbpe.csv").performances
    regressor = read_nannyml(FIXTURES / "nannyml_dle.csv").performances

    assert {(each.metric, each.degraded) for each in classifier} == {
        ("f1", True), ("roc_auc", True),
    }  # fmt: skip
    assert {each.metric for each in regressor} == {"mae before / now", "rmse before / now"}
    for each in (*classifier, *regressor):
        assert isinstance(each, PerformanceEstimate)
        assert each.error is not None
        assert each.error < 0.02
    better = regressor[0]
    assert isinstance(better, PerformanceEstimate)
    assert better.method == "direct_loss"
    assert (better.reference, round(better.estimated, 2)) == (1.0, 1.2)
    assert not better.degraded, "an alert that it became better is none"


def test_an_event_carries_the_models_own_metric() -> None:
    report = read_nannyml(FIXTURES / "nannyml_realised.csv")

    own = event(report, metric="f1", task=Task.CLASSIFICATION).data
    other = event(read_nannyml(FIXTURES / "nannyml_cbpe.csv"), metric="balanced_accuracy").data

    assert own.performance
    assert own.performance.metric == "f1"
    assert own.estimate is None
    assert other.estimate
    assert other.estimate.degraded
    assert event(report, metric="f1").id != event(report, metric="roc_auc").id


def test_a_result_that_no_event_can_carry_is_refused_by_name() -> None:
    with pytest.raises(MalformedReportError, match="DataReconstructionDriftCalculator"):
        read_nannyml(FIXTURES / "nannyml_reconstruction.csv")


def test_performance_without_its_reference_is_refused(tmp_path: Path) -> None:
    lines = (FIXTURES / "nannyml_realised.csv").read_text().splitlines()
    (tmp_path / "a.csv").write_text("\n".join(each for each in lines if ",reference," not in each))

    with pytest.raises(MalformedReportError, match="keep the chunks of the reference period"):
        read_nannyml(tmp_path / "a.csv")


def test_other_metrics_of_evidently_are_named() -> None:
    content = json.loads((FIXTURES / "evidently.json").read_bytes())
    content["metrics"].append({"metric_name": "R2Score(regression_name=default)", "value": 0.8})

    assert read_evidently(json.dumps(content).encode()).unread == ("R2Score",)
    assert evidently("evidently.json").unread == ()
    assert evidently("evidently_0_4.json").unread == ()


def test_the_configuration_knows_kinds_and_roles_better() -> None:
    spec = {
        "target": "Occupancy",
        "features": (
            Feature(name="Capacity", kind=FeatureKind.CATEGORICAL),
            Feature(name="SystemCodeNumber", kind=FeatureKind.CATEGORICAL),
        ),
    }

    made = event(evidently("evidently.json"), **spec)

    columns = {each.name: (each.role, each.kind) for each in made.data.features}
    assert columns["Occupancy"] == (FeatureRole.TARGET, FeatureKind.NUMERIC)
    assert columns["Capacity"] == (FeatureRole.FEATURE, FeatureKind.CATEGORICAL)
    assert made.data.detector == "evidently"


def a_metric(**config: Any) -> bytes:
    fields = {"column": "a", "method": "ks", "threshold": 0.05, **config}
    kind = {"type": "evidently:metric_v2:ValueDrift", **fields}
    return json.dumps({"metrics": [{"config": kind, "value": 0.01}]}).encode()


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"", "no JSON"),
        (b"<html>", "no JSON"),
        pytest.param(b"[" * 100_000, "nested too deeply", id="deep"),
        pytest.param(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, "nested too deeply", id="objects"),
        (b"\xff\xfe", "no JSON"),
        (b"[]", "no list `metrics`"),
        (b'{"metrics": [1]}', "no list `metrics`"),
        (b'{"metrics": []}', "nothing"),
        (b'{"metrics": [{"metric_name": "RowCount()", "value": 5}]}', "RowCount"),
        (a_metric(method="my own"), "my own"),
        (a_metric(threshold=None), "None"),
        (a_metric(column="a\nb"), "column"),
        (b'{"metrics": [{"result": {"drift_by_columns": {"a": {}}}}]}', "stattest_name"),
    ],
)
def test_a_file_that_evidently_never_wrote_is_refused_with_the_reason(
    raw: bytes, said: str
) -> None:
    with pytest.raises(MalformedReportError, match=said):
        read_evidently(raw)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"", "cannot be read"),
        ("a.csv", b"a,b\n1,2\n", "multilevel=False"),
        ("a.json", b"{}", "multilevel=False"),
        ("a.json", b"[1, 2]", "multilevel=False"),
        ("a.parquet", b"PAR1", "cannot be read"),
        ("a.csv", b"chunk_index,x_chi2_alert,chunk_period\n0,True,reference\n", "reference period"),
        ("a.csv", b"chunk_index,x_chi2_alert\n0,maybe\n", "neither true nor false"),
    ],
)
def test_a_file_that_nannyml_never_wrote_is_refused_with_the_reason(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(MalformedReportError, match=said):
        read_nannyml(path)


def test_events_come_alone_in_a_list_or_one_a_line() -> None:
    first, second = an_event("e-1"), an_event("e-2")
    one, two = first.model_dump_json().encode(), second.model_dump_json().encode()

    assert read_cloudevents(one) == (first,)
    assert read_cloudevents(b"[" + one + b"," + two + b"]") == (first, second)
    assert read_cloudevents(one + b"\n" + two + b"\n") == (first, second)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[]", "no event"),
        ('{"type": "com.example.order"}', "io.trimtab.drift.detected.v1"),
        ('{"type": "io.trimtab.drift.detected.v1"}', "id"),
        ("1", "None"),
    ],
)
def test_other_events_are_refused_in_words(content: str, said: str) -> None:
    with pytest.raises(MalformedReportError, match=said):
        read_cloudevents(content.encode())
