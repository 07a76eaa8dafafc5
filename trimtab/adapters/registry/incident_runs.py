"""Keeps each closed incident as an MLflow run: for auditors, and for what happened last."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from mlflow.entities import Metric, Run, ViewType
from mlflow.store.entities.paged_list import PagedList
from mlflow.tracking import MlflowClient

from trimtab.adapters.registry.tracking import experiment_id, faults_sorted, open_tracking
from trimtab.contracts.audit import RecordedTip
from trimtab.contracts.incident import IncidentReport
from trimtab.contracts.names import INCIDENTS_EXPERIMENT
from trimtab.contracts.ports import Refused
from trimtab.contracts.tags import CORRELATION_ID_TAG, EVENT_ID_TAG, PLAN_HASH_TAG
from trimtab.runtime.settings import Settings

MODEL: Final = "trimtab.model"
VERDICT: Final = "trimtab.verdict"
RULE: Final = "trimtab.rule"
ENDING: Final = "trimtab.ending"
AUDIT_TIP: Final = "trimtab.audit_tip"
AUDIT_ENTRIES: Final = "trimtab.audit_entries"
ACTED_AT: Final = "trimtab.acted_at"
"""UTC with microseconds, so that texts sort as times do."""
_PAGE: Final = 1000


class IncidentRuns:
    """The runs of the experiment `trimtab/incidents`."""

    def __init__(self, *, settings: Settings) -> None:
        self._settings = settings

    def record(self, report: IncidentReport) -> None:
        """One run per event and model; again is no harm. Another audit tip is `Refused`."""
        with faults_sorted():
            run = self._find(report) or self._create(report)
            held = run.data.tags.get(AUDIT_TIP)
            if held != report.audit_tip:
                msg = (
                    f"incident {report.event_id!r} of {report.model!r} is recorded with audit tip "
                    f"{held}, not {report.audit_tip}: it was closed before"
                )
                raise Refused(msg)
            at = _milliseconds(report.closed_at)
            metrics = [Metric(name, value, at, 0) for name, value in _metrics(report).items()]
            self._client.log_batch(run.info.run_id, metrics=metrics)
            self._client.set_terminated(run.info.run_id, end_time=at)

    def last_action_at(self, model: str) -> datetime | None:
        """When the newest action on the model was taken, or None."""
        wanted = f"tags.`{MODEL}` = '{model}' AND tags.`{ACTED_AT}` LIKE '%'"
        with faults_sorted():
            found = self._page(wanted, limit=1, order=[f"tags.`{ACTED_AT}` DESC"])
            return datetime.fromisoformat(found[0].data.tags[ACTED_AT]) if found else None

    def tips(self, model: str | None = None) -> tuple[RecordedTip, ...]:
        """The end of every incident's audit chain; deleted runs tell too."""
        wanted = "" if model is None else f"tags.`{MODEL}` = '{model}'"
        with faults_sorted():
            return tuple(_tip(run) for run in self._search(wanted) if AUDIT_TIP in run.data.tags)

    @property
    def _client(self) -> MlflowClient:
        return open_tracking(self._settings)

    def _find(self, report: IncidentReport) -> Run | None:
        wanted = (
            f"tags.`{EVENT_ID_TAG}` = '{report.event_id}' AND tags.`{MODEL}` = '{report.model}'"
        )
        return next(iter(self._page(wanted, limit=1)), None)

    def _create(self, report: IncidentReport) -> Run:
        return self._client.create_run(
            experiment_id(self._client, INCIDENTS_EXPERIMENT, settings=self._settings),
            start_time=_milliseconds(report.published_at),
            tags=_tags(report),
            run_name=report.event_id,
        )

    def _search(self, wanted: str) -> Iterator[Run]:
        page = self._page(wanted)
        yield from page
        while page.token:
            page = self._page(wanted, token=page.token)
            yield from page

    def _page(
        self,
        wanted: str,
        *,
        limit: int | None = None,
        order: list[str] | None = None,
        token: str | None = None,
    ) -> PagedList[Run]:
        """Runs, deleted ones too; reading makes no experiment where there is none yet."""
        experiment = self._client.get_experiment_by_name(INCIDENTS_EXPERIMENT)
        if experiment is None:
            return PagedList([], None)
        return self._client.search_runs(
            [experiment.experiment_id],
            filter_string=wanted,
            run_view_type=ViewType.ALL,
            max_results=limit or _PAGE,
            order_by=order,
            page_token=token,
        )


def _tags(report: IncidentReport) -> dict[str, str]:
    decision = report.decision
    acted_at = report.acted_at
    tags: dict[str, str | None] = {
        EVENT_ID_TAG: report.event_id,
        CORRELATION_ID_TAG: report.correlation_id,
        MODEL: report.model,
        ENDING: report.ending.value,
        AUDIT_TIP: report.audit_tip,
        AUDIT_ENTRIES: str(report.audit_entries),
        VERDICT: decision.verdict.value if decision else None,
        RULE: decision.rule if decision else None,
        PLAN_HASH_TAG: decision.plan_hash if decision else None,
        ACTED_AT: _sortable(acted_at) if acted_at else None,
    }
    return {name: value for name, value in tags.items() if value is not None}


def _metrics(report: IncidentReport) -> dict[str, float]:
    verification = report.outcome.verification if report.outcome else None
    metrics = {
        "confidence": report.confidence.value if report.confidence else None,
        "before": verification.before if verification else None,
        "after": verification.after if verification else None,
    }
    return {name: value for name, value in metrics.items() if value is not None}


def _tip(run: Run) -> RecordedTip:
    tags = run.data.tags
    try:
        return RecordedTip.model_validate(
            {
                "incident": tags.get(EVENT_ID_TAG),
                "model": tags.get(MODEL),
                "tip": tags[AUDIT_TIP],
                "entries": tags.get(AUDIT_ENTRIES),
            }
        )
    except ValueError as error:
        where = f"run {run.info.run_id} of experiment {INCIDENTS_EXPERIMENT!r}"
        msg = f"{where} has tags that Trimtab did not write: {error}"
        raise Refused(msg) from error


def _sortable(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="microseconds")


def _milliseconds(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)
