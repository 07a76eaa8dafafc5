"""Pipeline `monitoring`: one window against its reference; harmful drift is published.

Each node is one question. What they know comes from the champion's version: the reference's
profile with its calibrated thresholds (`pipelines.reference`), and what estimates harm
(`pipelines.harm`). Everything found is kept in the window's MLflow run; only what may hurt is
announced.
"""

from collections.abc import Sequence
from typing import Any

from kedro.pipeline import Node, Pipeline, pipeline

from trimtab.contracts.drift import DriftEvent, DriftFinding
from trimtab.contracts.fitted import ServedModels
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.monitoring import Suppression, SuppressionReason, format_suppression
from trimtab.detection.drift.fingerprint import fingerprint_of
from trimtab.detection.performance.finding import find_drift, is_announced
from trimtab.detection.performance.performance_impact import Harm
from trimtab.pipelines.history.profiling import Known, profile_history
from trimtab.pipelines.history.remote import History
from trimtab.pipelines.history.rows import Table, Values, rows_between
from trimtab.pipelines.learning.baseline import establish_baseline
from trimtab.pipelines.monitoring.announcement import event_of
from trimtab.pipelines.monitoring.cooldown import (
    Announcements,
    Proposal,
    Publication,
    apply_cooldown,
)
from trimtab.pipelines.monitoring.reference import Reference, find_reference
from trimtab.pipelines.monitoring.window_report import describe_run, report_window, show_window
from trimtab.pipelines.requests import MonitoringRequest, WindowRequest, request_node
from trimtab.pipelines.scoring import estimator
from trimtab.pipelines.scoring.baseline_windows import (
    harm_beside_usual,
    realised_beside_usual,
    standards_of,
)
from trimtab.pipelines.scoring.performance_impact import Scene, assess
from trimtab.pipelines.scoring.predictions import answering
from trimtab.pipelines.scoring.realised_performance import (
    Measured,
    loss_error,
    performance_change,
    realised,
)


def select_rows(history: History, spec: ModelSpec, request: WindowRequest) -> Table:
    """The window's rows, dirty ones included."""
    return rows_between(history, spec, request.span).reset_index(drop=True)


def choose_reference(
    history: History, spec: ModelSpec, request: WindowRequest, models: ServedModels
) -> Reference:
    """What the window is compared with, as `spec.reference` says, and its thresholds."""
    return find_reference(spec, models, history=history, span=request.span)


def predict_rows(rows: Table, spec: ModelSpec, reference: Reference) -> "Values[Any]":
    """What the champion said of each row, or says now where that is not on record.

    Scores where the metric is of scores: see `detection.columns`.
    """
    return estimator.outputs(answering(reference.champion, rows, spec), rows, spec)


def measure_window(
    history: History,
    rows: Table,
    spec: ModelSpec,
    request: MonitoringRequest,
    reference: Reference,
    predictions: "Values[Any]",
) -> Measured:
    """Count the window over the reference's bins, and score the champion on its labelled rows."""
    until = request.judged_at - spec.label_delay
    profile = profile_history(
        history,
        spec,
        span=request.span,
        known=Known(rows, predictions),
        labelled_until=until,
        like=reference.profile,
    )
    champion = reference.champion
    model = answering(champion, rows, spec)
    score = estimator.score(model, rows[rows[spec.timestamp] < until], spec)
    found = realised(champion, score, spec)
    change = performance_change(champion, found, spec, chance=reference.chance)
    usual = standards_of(champion).realised
    change = realised_beside_usual(
        change, spec, usual, start=request.start, chance=reference.chance
    )
    return Measured(profile, found, change)


def assess_harm(
    rows: Table,
    spec: ModelSpec,
    request: MonitoringRequest,
    reference: Reference,
    predictions: "Values[Any]",
    measured: Measured,
) -> Harm:
    """What the window is expected to cost the champion, and by what."""
    labelled = rows[spec.timestamp] < request.judged_at - spec.label_delay
    harm = assess(
        Scene(rows, predictions, labelled, reference.chance),
        spec,
        reference.champion,
        performance=measured.performance,
        error=loss_error(reference.champion, measured.realised, spec.metric),
    )
    return harm_beside_usual(
        harm,
        spec,
        standards_of(reference.champion),
        performance=measured.performance,
        start=request.start,
        chance=reference.chance,
    )


def examine(
    measured: Measured, spec: ModelSpec, reference: Reference, harm: Harm
) -> list[DriftFinding]:
    """What the window shows: one finding, or none; with the fingerprint that tells it again."""
    champion = reference.champion
    finding = find_drift(
        spec,
        reference.profile,
        current=measured.profile,
        performance=measured.performance,
        thresholds=reference.thresholds(measured.profile),
        harm=harm,
    )
    if finding is None:
        return []
    origin = {"champion_version": champion.version, "reference_profile_uri": reference.uri}
    found = finding.model_copy(update=origin)
    profiles = (reference.profile, measured.profile)
    same = fingerprint_of(found, spec, profiles=profiles)
    return [found.model_copy(update={"fingerprint": same})]


def propose_event(
    findings: Sequence[DriftFinding],
    spec: ModelSpec,
    request: MonitoringRequest,
    profile_uri: str,
) -> Proposal:
    """Return an event for the finding if it is worth one, else why it is only recorded."""
    if not findings:
        return Proposal(None)
    (finding,) = findings
    if not is_announced(finding, spec):
        return Proposal(None, Suppression(reason=SuppressionReason.NO_LOSS_EXPECTED))
    located = finding.model_copy(update={"current_profile_uri": profile_uri})
    return Proposal(event_of(located, again=request.again))


def decide_publication(
    proposal: Proposal,
    spec: ModelSpec,
    request: MonitoringRequest,
    reference: Reference,
    measured: Measured,
    announcements: Announcements,
) -> Publication:
    """Publish the proposed event unless the same drift was announced a short time ago."""
    profiles = (reference.profile, measured.profile)
    return apply_cooldown(proposal, spec, request, profiles=profiles, announcements=announcements)


def publish_events(publication: Publication) -> tuple[list[DriftEvent], list[DriftEvent]]:
    """Return the events twice: for the stream, and for the node that records the announcement."""
    return publication.events, publication.events


def record_announcement(
    _published: Sequence[DriftEvent], publication: Publication, profile_uri: str
) -> dict[str, Any]:
    """Return what the window's run records, after publishing: an announcement, or why not.

    `_published` makes Kedro run this node after the events are on the stream, so that nothing is
    recorded as announced that was not.
    """
    suppression = publication.suppression
    return {
        "uri": profile_uri,
        "announcement": publication.announcement,
        "why": format_suppression(suppression) if suppression else "",
    }


def create_pipeline() -> Pipeline:
    """One window against its reference."""
    return pipeline(
        [
            request_node("monitoring"),
            Node(select_rows, ["history", "model_spec", "request"], "window_rows"),
            Node(
                establish_baseline, ["history", "model_spec", "registered_model"], "watched_model"
            ),
            Node(
                choose_reference,
                ["history", "model_spec", "request", "watched_model"],
                "reference",
            ),
            Node(predict_rows, ["window_rows", "model_spec", "reference"], "predictions"),
            Node(
                measure_window,
                ["history", "window_rows", "model_spec", "request", "reference", "predictions"],
                "measured",
            ),
            Node(
                assess_harm,
                ["window_rows", "model_spec", "request", "reference", "predictions", "measured"],
                "harm",
            ),
            Node(examine, ["measured", "model_spec", "reference", "harm"], "findings"),
            Node(describe_run, ["measured", "reference", "harm", "findings"], "window_profile"),
            Node(
                propose_event, ["findings", "model_spec", "request", "window_profile"], "proposal"
            ),
            Node(
                decide_publication,
                ["proposal", "model_spec", "request", "reference", "measured", "announcements"],
                "publication",
            ),
            Node(publish_events, "publication", ["drift_events", "published"]),
            Node(
                record_announcement,
                ["published", "publication", "window_profile"],
                "announcement",
            ),
            Node(show_window, ["measured", "model_spec", "reference", "harm", "request"], "shown"),
            Node(
                report_window,
                ["measured", "model_spec", "findings", "publication", "shown"],
                "report",
            ),
        ]
    )
