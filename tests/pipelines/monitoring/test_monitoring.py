from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import mlflow
import pytest

from tests.builders import a_finding
from tests.detection.windows import make_spec
from tests.pipelines.conftest import Run
from trimtab.contracts.drift import (
    MAX_EVENT_BYTES,
    DriftEvent,
    DriftFinding,
    FeatureDrift,
    PerformanceChange,
    QualityFault,
    Severity,
)
from trimtab.contracts.event_bounds import find_implausible_values
from trimtab.contracts.event_signature import build_comparable_content
from trimtab.contracts.fitted import ServedModel
from trimtab.contracts.model import VersionMetric
from trimtab.detection.profiles.window_profile import WindowProfile
from trimtab.pipelines.monitoring.announcement import build_drift_event, compute_event_id
from trimtab.pipelines.scoring.realised_performance import (
    RealisedMetric,
    measure_performance_change,
)

ADVENT = {"start": "2016-12-06T00:00:00Z", "end": "2016-12-13T00:00:00Z"}
"""The champion does worse than it did at training time, all week."""
CHRISTMAS = {"start": "2016-12-13T00:00:00Z", "end": "2016-12-20T00:00:00Z"}
"""There are rows of car parks that were not there before."""
ORDINARY = {"start": "2016-11-01T00:00:00Z", "end": "2016-11-08T00:00:00Z"}

Stream = Callable[[], list[bytes]]


def test_a_window_in_which_the_champion_degrades_is_published(parking: Run, stream: Stream) -> None:
    report = parking("monitoring", **ADVENT)

    (published,) = stream()
    event = DriftEvent.model_validate_json(published)
    judged = DriftEvent.model_validate(report["event"])
    assert event.signature != ""
    assert build_comparable_content(event) == build_comparable_content(judged)
    assert event.data.performance is not None
    assert event.data.performance.degraded
    assert event.data.champion_version == "1"
    assert event.data.current.rows == report["rows"] == 3330


def test_an_event_holds_the_faults_of_the_data(parking: Run, stream: Stream) -> None:
    event = DriftEvent.model_validate(parking("monitoring", **CHRISTMAS)["event"])

    assert [(fault.kind, fault.column, fault.corrupt) for fault in event.data.quality] == [
        ("unseen_category", "SystemCodeNumber", False)
    ]


def test_the_same_window_again_is_the_same_event(parking: Run, stream: Stream) -> None:
    first, second = (parking("monitoring", **ADVENT)["event"]["id"] for _ in range(2))

    assert first == second
    assert first.startswith("2016-12-06T00:00Z-")
    assert len(stream()) == 2


def test_an_ordinary_window_is_measured_and_not_announced(parking: Run, stream: Stream) -> None:
    report = parking("monitoring", **ORDINARY)

    assert stream() == []
    assert (report["event"], report["finding"]) == (None, None)
    assert report["metric"]["rows"] == 3492
    assert report["metric"]["value"] > 0.95


def test_an_event_refers_to_the_profiles_by_uri(parking: Run, stream: Stream) -> None:
    finding = parking("monitoring", **ADVENT)["finding"]

    kept = WindowProfile.model_validate(mlflow.artifacts.load_dict(finding["current_profile_uri"]))
    reference = mlflow.artifacts.load_dict(finding["reference_profile_uri"])

    assert kept.window.rows == 3330
    assert WindowProfile.model_validate(reference).window.rows == 8946


def test_the_impact_of_a_window_is_stored_in_its_run(parking: Run, stream: Stream) -> None:
    finding = parking("monitoring", **ADVENT)["finding"]
    quiet = parking("monitoring", **ORDINARY)

    run = mlflow.get_run(finding["current_profile_uri"].split("/")[1])
    assert quiet["finding"] is None
    assert finding["estimate"]["method"] == "direct_loss"
    assert not finding["estimate"]["degraded"], "the inputs are the same cars and hours"
    assert finding["concept_loss"] > 0.02
    assert not finding["multivariate"]["drifted"]
    assert run.data.metrics["r2_estimated"] == pytest.approx(finding["estimate"]["estimated"])
    assert run.data.metrics["concept_loss"] == pytest.approx(finding["concept_loss"])
    assert run.data.metrics["multivariate_auc"] == pytest.approx(finding["multivariate"]["auc"])


def test_a_window_in_which_the_feed_died_is_published(parking: Run, stream: Stream) -> None:
    report = parking("monitoring", start="2016-12-03T00:00:00Z", end="2016-12-05T00:00:00Z")

    (published,) = stream()
    event = DriftEvent.model_validate_json(published)
    assert (report["rows"], report["metric"], event.data.current.rows) == (0, None, 0)
    assert [(fault.kind, fault.corrupt) for fault in event.data.quality] == [("no_rows", True)]
    assert event.data.severity is Severity.CRITICAL
    assert find_implausible_values(event) == ()


def test_a_night_without_rows_is_not_judged(parking: Run, stream: Stream) -> None:
    report = parking("monitoring", start="2016-11-02T22:00:00Z", end="2016-11-03T05:00:00Z")

    assert (report["rows"], report["event"], report["metric"]) == (0, None, None)
    assert "minimum_rows" in report["note"]
    assert stream() == []


def change(
    value: float, *, error: float | None = None, **held_out: float
) -> PerformanceChange | None:
    """Return the change from the metrics `held_out` at training time to `value` now."""
    champion = ServedModel(
        version="1", run_id="r", metrics=held_out, tags={}, load=dict, artifact=lambda _: {}
    )
    metric = VersionMetric(version="1", metric="r2", value=value, rows=500)
    return measure_performance_change(
        champion, RealisedMetric(metric, error), make_spec(tolerance=0.02)
    )


@pytest.mark.parametrize(
    ("value", "error", "degraded"),
    [
        (0.89, None, False),
        (0.85, None, True),
        (0.85, 0.01, True),
        (0.85, 0.05, False),
        (0.60, 0.05, True),
    ],
)
def test_a_metric_is_degraded_if_the_loss_exceeds_tolerance_and_chance(
    value: float, error: float | None, *, degraded: bool
) -> None:
    found = change(value, error=error, r2=0.9, r2_error=0.01)

    assert found is not None
    assert found.degraded is degraded


def test_a_challenger_must_keep_the_metric_of_the_first_champion() -> None:
    low, high = (change(0.4, r2=own, r2_expected=0.9) for own in (0.35, 0.95))

    assert low is not None
    assert (low.reference, low.degraded) == (0.9, True)
    assert high is not None
    assert high.reference == 0.95


def test_a_champion_without_a_metric_has_no_performance_change() -> None:
    assert change(0.4, rows=12) is None


def test_an_event_id_depends_on_model_champion_and_window() -> None:
    finding = a_finding()
    others = [
        finding.model_copy(update={"model": "other"}),
        finding.model_copy(update={"champion_version": "2"}),
        finding.model_copy(
            update={
                "current": finding.current.model_copy(
                    update={"end": finding.current.end + timedelta(hours=1)}
                )
            }
        ),
    ]

    ids = {compute_event_id(each) for each in (finding, *others)}

    assert len(ids) == 4
    assert compute_event_id(finding) == compute_event_id(a_finding())


def crowded(**changes: Any) -> DriftFinding:
    name = "n" * 100
    drift = FeatureDrift(
        name=name, kind="numeric", psi=0.123456789012345, jensen_shannon=0.2, test="ks",
        statistic=0.123456789012345, p_value=1e-200, mean_reference=1234567.891234567,
        mean_current=1234567.891234567, drifted=True,
    )  # fmt: skip
    fault = QualityFault(kind="nulls", column=name, detail="x" * 300)
    return a_finding(features=(drift,) * 100, quality=(fault,) * 100, **changes)


def test_an_event_about_very_many_columns_is_small_enough() -> None:
    event = build_drift_event(crowded())

    assert len(event.model_dump_json().encode()) <= MAX_EVENT_BYTES
    assert len(event.data.features) > 20


def test_the_time_of_an_event_is_now(monkeypatch: pytest.MonkeyPatch) -> None:
    before = datetime.now(UTC)

    event = build_drift_event(a_finding())

    assert before <= event.time <= datetime.now(UTC)
