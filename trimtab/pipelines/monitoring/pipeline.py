"""Pipeline `monitoring`: one window against its reference; harmful drift is published.

Everything that is found is stored in the window's MLflow run. Only drift that may be harmful is
announced.
"""

from kedro.pipeline import Node, Pipeline, pipeline

from trimtab.pipelines.learning.baseline import establish_baseline
from trimtab.pipelines.monitoring.nodes import (
    assess_impact,
    choose_reference,
    decide_publication,
    find_window_drift,
    measure_window,
    predict_window,
    propose_event,
    publish_drift_events,
    record_announcement,
    select_window_rows,
)
from trimtab.pipelines.monitoring.signals import measure_signals
from trimtab.pipelines.monitoring.window_faults import find_faults
from trimtab.pipelines.monitoring.window_report import (
    build_run_record,
    build_window_details,
    report_window,
)
from trimtab.pipelines.requests import build_request_node


def create_pipeline() -> Pipeline:
    """Return the pipeline that compares one window with its reference."""
    return pipeline(
        [*_list_measurement_nodes(), *_list_judgement_nodes(), *_list_publication_nodes()]
    )


def _list_measurement_nodes() -> list[Node]:
    """Return the nodes that measure the window."""
    return [
        build_request_node("monitoring"),
        Node(
            select_window_rows,
            ["history", "model_spec", "request"],
            "window_rows",
            name="select_window_rows",
        ),
        Node(
            establish_baseline,
            ["history", "model_spec", "registered_model"],
            "watched_model",
            name="establish_baseline",
        ),
        Node(
            choose_reference,
            ["history", "model_spec", "request", "watched_model"],
            "reference",
            name="choose_reference",
        ),
        Node(
            predict_window,
            ["window_rows", "model_spec", "reference"],
            "predictions",
            name="predict_window",
        ),
        Node(
            measure_window,
            ["history", "window_rows", "model_spec", "request", "reference", "predictions"],
            "measurement",
            name="measure_window",
        ),
    ]


def _list_judgement_nodes() -> list[Node]:
    """Return the nodes that say what the window's change costs, and what may have caused it."""
    return [
        Node(
            assess_impact,
            ["window_rows", "model_spec", "request", "reference", "predictions", "measurement"],
            "impact",
            name="assess_impact",
        ),
        Node(
            find_faults,
            ["history", "window_rows", "model_spec", "request", "reference", "measurement"],
            "faults",
            name="find_faults",
        ),
        Node(
            measure_signals,
            [
                "history",
                "window_rows",
                "model_spec",
                "request",
                "reference",
                "measurement",
                "impact",
                "watched_model",
            ],
            "signals",
            name="measure_signals",
        ),
        Node(
            find_window_drift,
            ["measurement", "model_spec", "reference", "impact", "faults", "signals"],
            "findings",
            name="find_window_drift",
        ),
    ]


def _list_publication_nodes() -> list[Node]:
    """Return the nodes that store, publish and report what was found."""
    return [
        Node(
            build_run_record,
            ["measurement", "reference", "impact", "findings"],
            "window_profile",
            name="store_window",
        ),
        Node(
            propose_event,
            ["findings", "model_spec", "request", "window_profile"],
            "proposal",
            name="propose_event",
        ),
        Node(
            decide_publication,
            ["proposal", "model_spec", "request", "reference", "measurement", "announcements"],
            "publication",
            name="decide_publication",
        ),
        Node(
            publish_drift_events,
            "publication",
            ["drift_events", "published"],
            name="publish_events",
        ),
        Node(
            record_announcement,
            ["published", "publication", "window_profile"],
            "announcement",
            name="record_announcement",
        ),
        Node(
            build_window_details,
            [
                "measurement",
                "model_spec",
                "reference",
                "impact",
                "signals",
                "request",
                "faults",
            ],
            "details",
            name="build_window_details",
        ),
        Node(
            report_window,
            ["measurement", "model_spec", "findings", "publication", "details"],
            "report",
            name="report_window",
        ),
    ]
