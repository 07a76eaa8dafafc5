"""Keeps a model's announcements with the MLflow runs of its monitored windows, across restarts.

Loaded, they can be searched by the data's own time; saved, a window's run gets tags that say what
became of its findings.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from kedro.io import AbstractDataset
from mlflow.entities import Run
from mlflow.tracking import MlflowClient
from pydantic import JsonValue, ValidationError
from typing_extensions import override

from trimtab.adapters.registry.tracking import open_tracking, translate_mlflow_errors
from trimtab.contracts import tags
from trimtab.contracts.monitoring import Announcement
from trimtab.contracts.names import build_experiment_name
from trimtab.runtime.settings import Settings, load_settings

AS_OF_METRIC: Final = "announced_as_of"
"""A metric, in seconds since 1970: MLflow compares metrics by size, tags only for equality."""
_MAX_RUNS: Final = 1000


class AnnouncementsDataset(AbstractDataset[dict[str, Any], "AnnouncementLog"]):
    """Tags of the runs in the experiment `trimtab/MODEL/monitoring`.

    What is saved holds `uri` (of the window's profile, which names the run), `announcement`,
    `why` and `note`. The announcement is there if the findings were announced, `why` if they were
    only recorded, and neither if nothing was found; the note if announced faults are still there.
    """

    def __init__(self, *, model: str, metadata: dict[str, Any] | None = None) -> None:
        self._model = model
        self.metadata = metadata

    @override
    def load(self) -> "AnnouncementLog":
        """Return the announcements, which are read when they are searched."""
        return AnnouncementLog(self._model, settings=load_settings())

    @override
    def save(self, data: dict[str, Any]) -> None:
        """Tag the window's run; saving the same again changes nothing."""
        run_id = _parse_run_id(data["uri"])
        self.load().tag_run(
            data["announcement"], run_id=run_id, why=data["why"], note=data.get("note")
        )

    @override
    def _describe(self) -> dict[str, Any]:
        return {"model": self._model}


class AnnouncementLog:
    """Every announcement of one model."""

    def __init__(self, model: str, *, settings: Settings) -> None:
        self._model = model
        self._settings = settings

    def find_recent(
        self, duration: timedelta, *, until: datetime, subject: str
    ) -> list[Announcement]:
        """Return announcements of a subject by data time: within the duration that ends at until.

        The end is included; later announcements are not returned.
        """
        after, end = (until - duration).timestamp(), until.timestamp()
        with translate_mlflow_errors():
            client = open_tracking(self._settings)
            name = build_experiment_name(self._model, "monitoring")
            experiment = client.get_experiment_by_name(name)
            if experiment is None:
                return []
            query = (
                f"tags.`{tags.ANNOUNCED_SUBJECT_TAG}` = '{subject}'"
                f" AND metrics.`{AS_OF_METRIC}` > {after} AND metrics.`{AS_OF_METRIC}` <= {end}"
            )
            runs = client.search_runs([experiment.experiment_id], query, max_results=_MAX_RUNS)
            return list(_parse_announcements(runs))

    def tag_run(
        self,
        announcement: Announcement | None,
        *,
        run_id: str,
        why: str,
        note: Announcement | None = None,
    ) -> None:
        """Note in a window's run that it was announced, or why it was only recorded."""
        with translate_mlflow_errors():
            client = open_tracking(self._settings)
            if announcement is not None:
                _tag_announced(client, run_id, announcement)
            elif why:
                client.set_tag(run_id, tags.DRIFT_TAG, "recorded")
                client.set_tag(run_id, tags.WHY_TAG, why)
                if note is not None:
                    client.set_tag(run_id, tags.OPEN_FAULT_TAG, note.event_id)
                    _tag_fields(client, run_id, note)


def _tag_announced(client: MlflowClient, run_id: str, announcement: Announcement) -> None:
    values = {
        tags.DRIFT_TAG: "announced",
        tags.EVENT_ID_TAG: announcement.event_id,
        tags.FINGERPRINT_TAG: announcement.fingerprint,
    }
    for name, value in values.items():
        client.set_tag(run_id, name, value)
    _tag_fields(client, run_id, announcement)


def _tag_fields(client: MlflowClient, run_id: str, announcement: Announcement) -> None:
    """Store what an announcement and a note have in common."""
    values = {
        tags.ANNOUNCED_FAULTS_TAG: json.dumps(announcement.faults, ensure_ascii=False),
        tags.ANNOUNCED_MOVES_TAG: json.dumps(announcement.moves, ensure_ascii=False),
        tags.ANNOUNCED_SEVERITY_TAG: announcement.severity.value,
        tags.ANNOUNCED_SUBJECT_TAG: announcement.subject,
    }
    for name, value in values.items():
        client.set_tag(run_id, name, value)
    client.log_metric(run_id, AS_OF_METRIC, announcement.as_of.timestamp())


def _parse_announcements(runs: list[Run]) -> Iterator[Announcement]:
    """Yield the announcements in runs' tags; tags that somebody has made unreadable are skipped."""
    for run in runs:
        kept = run.data.tags
        fields: dict[str, JsonValue] = {
            "event_id": kept.get(tags.EVENT_ID_TAG) or kept.get(tags.OPEN_FAULT_TAG),
            "note": tags.EVENT_ID_TAG not in kept,
            "subject": kept.get(tags.ANNOUNCED_SUBJECT_TAG),
            "severity": kept.get(tags.ANNOUNCED_SEVERITY_TAG),
            "as_of": run.data.metrics[AS_OF_METRIC],
        }
        try:
            moves = json.loads(kept.get(tags.ANNOUNCED_MOVES_TAG, ""))
            faults = json.loads(kept.get(tags.ANNOUNCED_FAULTS_TAG, "[]"))
            yield Announcement.model_validate({**fields, "moves": moves, "faults": faults})
        except (ValidationError, ValueError):
            continue


def _parse_run_id(uri: str) -> str:
    """Return the run in `runs:/RUN/profile.json`."""
    return uri.removeprefix("runs:/").partition("/")[0]
