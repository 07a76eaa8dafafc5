"""Keeps each closed incident as an MLflow run: for auditors, and for what was done last."""

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Final

from mlflow.entities import Metric, Run, ViewType
from mlflow.store.entities.paged_list import PagedList
from mlflow.tracking import MlflowClient

from trimtab.adapters.registry.tracking import (
    get_or_create_experiment,
    open_tracking,
    translate_mlflow_errors,
)
from trimtab.contracts.audit import ChainEnd, RecordedTip
from trimtab.contracts.incident import IncidentReport
from trimtab.contracts.names import INCIDENTS_EXPERIMENT
from trimtab.contracts.ports import Refused
from trimtab.contracts.tags import (
    ACTED_AT_TAG,
    AUDIT_ENTRIES_TAG,
    AUDIT_HEAD_TAG,
    AUDIT_TIP_TAG,
    CORRELATION_ID_TAG,
    ENDING_TAG,
    EVENT_ID_TAG,
    MODEL_TAG,
    PLAN_HASH_TAG,
    RULE_TAG,
    VERDICT_TAG,
)
from trimtab.runtime.settings import Settings

_PAGE_SIZE: Final = 1000


class IncidentRuns:
    """The runs of the experiment `trimtab/incidents`."""

    def __init__(self, *, settings: Settings) -> None:
        self._settings = settings
        self._experiment_id: str | None = None
        """Id of the experiment, once it was found: each incident asks for it many times."""

    def record(self, report: IncidentReport) -> None:
        """Record an incident, one run per event and model; recording it again changes nothing.

        Raises:
            Refused: It was recorded with another audit tip.
        """
        with translate_mlflow_errors():
            # An attempt that was given up, and went on all the same, may make a run meanwhile. So
            # each looks again behind its own, and of two the same one stays, whoever looks.
            run = self._keep_first(report) or self._create(report)
            run = self._keep_first(report) or run
            recorded = run.data.tags.get(AUDIT_TIP_TAG)
            if recorded != report.audit_tip:
                msg = (
                    f"incident {report.event_id!r} of {report.model!r} is recorded with audit tip "
                    f"{recorded}, not {report.audit_tip}: it was closed before"
                )
                raise Refused(msg)
            at = _to_milliseconds(report.closed_at)
            metrics = [Metric(name, value, at, 0) for name, value in _build_metrics(report).items()]
            self._client.log_batch(run.info.run_id, metrics=metrics)
            self._client.set_terminated(run.info.run_id, end_time=at)

    def is_recorded(self, model: str, incident: str) -> bool:
        """Return whether an incident of the model is recorded."""
        with translate_mlflow_errors():
            return bool(self._find(model, incident))

    def find_last_action_time(self, model: str) -> datetime | None:
        """Return when the newest action on the model was taken, or None."""
        query = f"tags.`{MODEL_TAG}` = '{model}' AND tags.`{ACTED_AT_TAG}` LIKE '%'"
        with translate_mlflow_errors():
            found = self._read_page(query, limit=1, order=[f"tags.`{ACTED_AT_TAG}` DESC"])
            return datetime.fromisoformat(found[0].data.tags[ACTED_AT_TAG]) if found else None

    def list_tips(self, model: str | None = None) -> tuple[RecordedTip, ...]:
        """Return the end of every incident's audit chain; those of deleted runs are included."""
        query = "" if model is None else f"tags.`{MODEL_TAG}` = '{model}'"
        with translate_mlflow_errors():
            runs = self._search(query)
            return tuple(_parse_tip(run) for run in runs if AUDIT_TIP_TAG in run.data.tags)

    def keep_audit_head(self, head: ChainEnd) -> None:
        """Keep the end of the audit log's chain of heads, unless a longer one is kept."""
        kept = self.read_audit_head()
        if kept is not None and kept.entries >= head.entries:
            return
        with translate_mlflow_errors():
            experiment = get_or_create_experiment(
                self._client, INCIDENTS_EXPERIMENT, settings=self._settings
            )
            value = f"{head.entries}:{head.tip}"
            self._client.set_experiment_tag(experiment, AUDIT_HEAD_TAG, value)

    def read_audit_head(self) -> ChainEnd | None:
        """Return the end of the chain of heads that was kept last; None if there is none.

        Raises:
            Refused: The tag is none of ours.
        """
        with translate_mlflow_errors():
            experiment = self._client.get_experiment_by_name(INCIDENTS_EXPERIMENT)
        value = experiment.tags.get(AUDIT_HEAD_TAG) if experiment else None
        if value is None:
            return None
        entries, _, tip = value.partition(":")
        try:
            return ChainEnd.model_validate({"entries": entries, "tip": tip})
        except ValueError as error:
            msg = (
                f"experiment {INCIDENTS_EXPERIMENT!r} has a tag {AUDIT_HEAD_TAG} = {value!r} that"
                " Trimtab did not write"
            )
            raise Refused(msg) from error

    @property
    def _client(self) -> MlflowClient:
        return open_tracking(self._settings)

    def _keep_first(self, report: IncidentReport) -> Run | None:
        """Return the incident's run, or None; if there are several, only the first one stays."""
        runs = self._find(report.model, report.event_id)
        for another in runs[1:]:
            self._discard(another)
        return runs[0] if runs else None

    def _find(self, model: str, incident: str) -> list[Run]:
        query = f"tags.`{EVENT_ID_TAG}` = '{incident}' AND tags.`{MODEL_TAG}` = '{model}'"
        return sorted(self._read_page(query), key=lambda run: str(run.info.run_id))

    def _discard(self, run: Run) -> None:
        """Delete a run; without its tags it counts nowhere. The last tag lets it be found again."""
        for tag in (AUDIT_TIP_TAG, ACTED_AT_TAG, MODEL_TAG, EVENT_ID_TAG):
            if tag in run.data.tags:
                self._client.delete_tag(run.info.run_id, tag)
        self._client.delete_run(run.info.run_id)

    def _create(self, report: IncidentReport) -> Run:
        self._experiment_id = get_or_create_experiment(
            self._client, INCIDENTS_EXPERIMENT, settings=self._settings
        )
        return self._client.create_run(
            self._experiment_id,
            start_time=_to_milliseconds(report.published_at),
            tags=_build_tags(report),
            run_name=report.event_id,
        )

    def _search(self, query: str) -> Iterator[Run]:
        page = self._read_page(query)
        yield from page
        while page.token:
            page = self._read_page(query, token=page.token)
            yield from page

    def _read_page(
        self,
        query: str,
        *,
        limit: int | None = None,
        order: list[str] | None = None,
        token: str | None = None,
    ) -> PagedList[Run]:
        """Return runs, including deleted ones; reading makes no experiment if there is none yet."""
        search = partial(self._search_runs, query, limit=limit, order=order, token=token)
        known = self._experiment_id
        found = search(known) if known else PagedList([], None)
        if found:
            return found
        # Nothing is there, or somebody has deleted the experiment, and it was made anew.
        experiment = self._client.get_experiment_by_name(INCIDENTS_EXPERIMENT)
        current = self._experiment_id = str(experiment.experiment_id) if experiment else None
        return search(current) if current not in {None, known} else found

    def _search_runs(
        self,
        query: str,
        experiment: str,
        *,
        limit: int | None,
        order: list[str] | None,
        token: str | None,
    ) -> PagedList[Run]:
        return self._client.search_runs(
            [experiment],
            filter_string=query,
            run_view_type=ViewType.ALL,
            max_results=limit or _PAGE_SIZE,
            order_by=order,
            page_token=token,
        )


def _build_tags(report: IncidentReport) -> dict[str, str]:
    decision = report.decision
    acted_at = report.acted_at
    tags: dict[str, str | None] = {
        EVENT_ID_TAG: report.event_id,
        CORRELATION_ID_TAG: report.correlation_id,
        MODEL_TAG: report.model,
        ENDING_TAG: report.ending.value,
        AUDIT_TIP_TAG: report.audit_tip,
        AUDIT_ENTRIES_TAG: str(report.audit_entries),
        VERDICT_TAG: decision.verdict.value if decision else None,
        RULE_TAG: decision.rule if decision else None,
        PLAN_HASH_TAG: decision.plan_hash if decision else None,
        ACTED_AT_TAG: _format_sortable(acted_at) if acted_at else None,
    }
    return {name: value for name, value in tags.items() if value is not None}


def _build_metrics(report: IncidentReport) -> dict[str, float]:
    verification = report.outcome.verification if report.outcome else None
    metrics = {
        "confidence": report.confidence.value if report.confidence else None,
        "before": verification.before if verification else None,
        "after": verification.after if verification else None,
    }
    return {name: value for name, value in metrics.items() if value is not None}


def _parse_tip(run: Run) -> RecordedTip:
    tags = run.data.tags
    try:
        return RecordedTip.model_validate(
            {
                "incident": tags.get(EVENT_ID_TAG),
                "model": tags.get(MODEL_TAG),
                "tip": tags[AUDIT_TIP_TAG],
                "entries": tags.get(AUDIT_ENTRIES_TAG),
            }
        )
    except ValueError as error:
        place = f"run {run.info.run_id} of experiment {INCIDENTS_EXPERIMENT!r}"
        msg = f"{place} has tags that Trimtab did not write: {error}"
        raise Refused(msg) from error


def _format_sortable(instant: datetime) -> str:
    """Return UTC with microseconds, so that texts sort as times do."""
    return instant.astimezone(UTC).isoformat(timespec="microseconds")


def _to_milliseconds(instant: datetime) -> int:
    return int(instant.timestamp() * 1000)
