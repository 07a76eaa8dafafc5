"""Steps of the pipeline `monitoring`, each of which answers one question about a window.

Their knowledge comes from the champion's version: the reference's profile with its calibrated
thresholds (`trimtab.pipelines.monitoring.reference`), and what estimates the impact of drift
(`trimtab.pipelines.scoring.performance_impact`).
"""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from trimtab.contracts.drift import DriftEvent, DriftFinding, QualityFault
from trimtab.contracts.fitted import ServedModels
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.monitoring import Suppression, SuppressionReason, format_suppression
from trimtab.detection.drift.fingerprint import compute_fingerprint
from trimtab.detection.performance.finding import find_drift, should_publish
from trimtab.detection.performance.performance_impact import PerformanceImpact
from trimtab.pipelines.history.profiling import PredictedRows, profile_history
from trimtab.pipelines.history.remote import HistoryTable
from trimtab.pipelines.history.rows import read_rows
from trimtab.pipelines.monitoring.announcement import build_drift_event
from trimtab.pipelines.monitoring.cooldown import (
    Announcements,
    EventProposal,
    Publication,
    apply_cooldown,
)
from trimtab.pipelines.monitoring.reference import WindowReference, find_reference
from trimtab.pipelines.monitoring.signals import MeasuredSignals
from trimtab.pipelines.requests import MonitoringRequest, WindowRequest
from trimtab.pipelines.scoring.baseline_windows import (
    compare_impact_with_baseline,
    compare_realised_with_baseline,
    load_window_baselines,
)
from trimtab.pipelines.scoring.loss_streak import count_lossy_windows
from trimtab.pipelines.scoring.metrics import score_labelled_rows
from trimtab.pipelines.scoring.performance_impact import PredictedWindow, estimate_impact
from trimtab.pipelines.scoring.predictions import (
    choose_predictor,
    count_classes,
    predict_outputs,
)
from trimtab.pipelines.scoring.realised_performance import (
    WindowMeasurement,
    build_realised_metric,
    compute_loss_error,
    measure_performance_change,
)


def select_window_rows(
    history: HistoryTable, spec: ModelSpec, request: WindowRequest
) -> pd.DataFrame:
    """Return the window's rows, dirty ones included."""
    return read_rows(history, spec, request.time_range).reset_index(drop=True)


def choose_reference(
    history: HistoryTable, spec: ModelSpec, request: WindowRequest, models: ServedModels
) -> WindowReference:
    """Return what the window is compared with, as `spec.reference` says, and its thresholds."""
    return find_reference(spec, models, history=history, time_range=request.time_range)


def predict_window(
    rows: pd.DataFrame, spec: ModelSpec, reference: WindowReference
) -> "pd.Series[Any]":
    """Return the champion's logged prediction of each row, or its prediction now.

    For a metric of scores they are probabilities.
    """
    return predict_outputs(choose_predictor(reference.champion, rows, spec), rows, spec)


def measure_window(
    history: HistoryTable,
    rows: pd.DataFrame,
    spec: ModelSpec,
    request: MonitoringRequest,
    reference: WindowReference,
    predictions: "pd.Series[Any]",
) -> WindowMeasurement:
    """Profile the window over the reference's bins, and score the champion on labelled rows."""
    labelled_until = request.judged_at - spec.label_delay
    profile = profile_history(
        history,
        spec,
        time_range=request.time_range,
        predicted=PredictedRows(rows, predictions),
        labelled_until=labelled_until,
        like=reference.profile,
    )
    champion = reference.champion
    model = choose_predictor(champion, rows, spec)
    score = score_labelled_rows(model, rows[rows[spec.timestamp] < labelled_until], spec)
    realised = build_realised_metric(champion, score, spec)
    change = measure_performance_change(
        champion, realised, spec, alpha=reference.alpha, classes=count_classes(model, spec)
    )
    baseline = load_window_baselines(champion).realised
    change = compare_realised_with_baseline(
        change, spec, baseline, start=request.start, alpha=reference.alpha
    )
    change = count_lossy_windows(change, history, spec, champion, request.time_range)
    return WindowMeasurement(profile, realised, change)


def assess_impact(
    rows: pd.DataFrame,
    spec: ModelSpec,
    request: MonitoringRequest,
    reference: WindowReference,
    predictions: "pd.Series[Any]",
    measurement: WindowMeasurement,
) -> PerformanceImpact:
    """Estimate what the window's drift costs the champion, and which columns cause it."""
    labelled = rows[spec.timestamp] < request.judged_at - spec.label_delay
    impact = estimate_impact(
        PredictedWindow(rows, predictions, labelled, reference.alpha),
        spec,
        reference.champion,
        performance=measurement.performance,
        error=compute_loss_error(reference.champion, measurement.realised, spec.metric),
    )
    return compare_impact_with_baseline(
        impact,
        spec,
        load_window_baselines(reference.champion),
        performance=measurement.performance,
        start=request.start,
        alpha=reference.alpha,
    )


def find_window_drift(
    measurement: WindowMeasurement,
    spec: ModelSpec,
    reference: WindowReference,
    impact: PerformanceImpact,
    faults: Sequence[QualityFault] | None = None,
    measured: MeasuredSignals | None = None,
) -> list[DriftFinding]:
    """Return one finding, with the fingerprint of its drift, or none."""
    champion = reference.champion
    finding = find_drift(
        spec,
        reference.profile,
        current=measurement.profile,
        performance=measurement.performance,
        thresholds=reference.compute_thresholds(measurement.profile),
        impact=impact,
        faults=faults,
        signals=measured.signals if measured else None,
        extra_faults=measured.faults if measured else (),
    )
    if finding is None:
        return []
    origin = {"champion_version": champion.version, "reference_profile_uri": reference.uri}
    located = finding.model_copy(update=origin)
    profiles = (reference.profile, measurement.profile)
    fingerprint = compute_fingerprint(located, spec, profiles=profiles)
    return [located.model_copy(update={"fingerprint": fingerprint})]


def propose_event(
    findings: Sequence[DriftFinding],
    spec: ModelSpec,
    request: MonitoringRequest,
    profile_uri: str,
) -> EventProposal:
    """Return an event for the finding if it is worth one, else why it is only recorded."""
    if not findings:
        return EventProposal(None)
    (finding,) = findings
    if not should_publish(finding, spec):
        return EventProposal(None, Suppression(reason=SuppressionReason.NO_LOSS_EXPECTED))
    located = finding.model_copy(update={"current_profile_uri": profile_uri})
    return EventProposal(build_drift_event(located, is_rerun=request.is_rerun))


def decide_publication(
    proposal: EventProposal,
    spec: ModelSpec,
    request: MonitoringRequest,
    reference: WindowReference,
    measurement: WindowMeasurement,
    announcements: Announcements,
) -> Publication:
    """Publish the proposed event unless the same drift was announced a short time ago."""
    profiles = (reference.profile, measurement.profile)
    return apply_cooldown(proposal, spec, request, profiles=profiles, announcements=announcements)


def publish_drift_events(publication: Publication) -> tuple[list[DriftEvent], list[DriftEvent]]:
    """Return the events twice: for the stream, and for the node that records the announcement."""
    return publication.events, publication.events


def record_announcement(
    _published: Sequence[DriftEvent], publication: Publication, profile_uri: str
) -> dict[str, Any]:
    """Return what the window's run records: an announcement, or why there is none.

    `_published` makes Kedro run this node after the events are on the stream, so that nothing is
    recorded as announced that was not.
    """
    suppression = publication.suppression
    return {
        "uri": profile_uri,
        "announcement": publication.announcement,
        "why": format_suppression(suppression) if suppression else "",
        "note": publication.note,
    }
