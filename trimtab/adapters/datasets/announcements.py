"""What was announced of a model, kept with the monitored windows' MLflow runs: survives restarts.

Loaded, it can be searched by the data's own time; saved, a window's run is told what became of it.
"""

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from kedro.io import AbstractDataset
from mlflow.entities import Run
from mlflow.tracking import MlflowClient
from pydantic import JsonValue, ValidationError

from trimtab.adapters.registry.tracking import faults_sorted, open_tracking
from trimtab.contracts.monitoring import Announcement
from trimtab.contracts.names import build_experiment_name
from trimtab.runtime.settings import Settings, load_settings

SUBJECT: Final = "trimtab.announced.subject"
MOVES: Final = "trimtab.announced.moves"
SEVERITY: Final = "trimtab.announced.severity"
FINGERPRINT: Final = "trimtab.fingerprint"
EVENT_ID: Final = "trimtab.event_id"
DRIFT: Final = "trimtab.drift"
WHY: Final = "trimtab.why"
AS_OF: Final = "announced_as_of"
"""A metric, in seconds since 1970: MLflow compares metrics by size, tags only for equality."""
_PAGE: Final = 1000


class AnnouncementsDataset(AbstractDataset[dict[str, Any], "AnnouncementLog"]):
    """Tags of the runs in the experiment `trimtab/MODEL/monitoring`.

    What is saved holds `uri` (of the window's profile, which names the run), `announcement` and
    `why`: one of them says what became of what was found, neither where nothing was.
    """

    def __init__(self, *, model: str, metadata: dict[str, Any] | None = None) -> None:
        self._model = model
        self.metadata = metadata

    def load(self) -> "AnnouncementLog":
        """Read when asked."""
        return AnnouncementLog(self._model, settings=load_settings())

    def save(self, data: dict[str, Any]) -> None:
        """Tell the run; the same again is no harm."""
        self.load().keep(data["announcement"], run_id=_run_in(data["uri"]), why=data["why"])

    def _describe(self) -> dict[str, Any]:
        return {"model": self._model}


class AnnouncementLog:
    """Every announcement of one model."""

    def __init__(self, model: str, *, settings: Settings) -> None:
        self._model = model
        self._settings = settings

    def within(self, span: timedelta, *, until: datetime, subject: str) -> list[Announcement]:
        """Those of the span that ends at an instant, the end included; later ones are not seen."""
        after, end = (until - span).timestamp(), until.timestamp()
        with faults_sorted():
            client = open_tracking(self._settings)
            found = client.get_experiment_by_name(build_experiment_name(self._model, "monitoring"))
            if found is None:
                return []
            wanted = (
                f"tags.`{SUBJECT}` = '{subject}' AND metrics.`{AS_OF}` > {after}"
                f" AND metrics.`{AS_OF}` <= {end}"
            )
            runs = client.search_runs([found.experiment_id], wanted, max_results=_PAGE)
            return list(_read(runs))

    def keep(self, announcement: Announcement | None, *, run_id: str, why: str) -> None:
        """Say in a window's run that it was announced, or why it was only recorded."""
        with faults_sorted():
            client = open_tracking(self._settings)
            if announcement is not None:
                _write(client, run_id, announcement)
            elif why:
                client.set_tag(run_id, DRIFT, "recorded")
                client.set_tag(run_id, WHY, why)


def _write(client: MlflowClient, run_id: str, announcement: Announcement) -> None:
    tags = {
        DRIFT: "announced",
        EVENT_ID: announcement.event_id,
        FINGERPRINT: announcement.fingerprint,
        MOVES: json.dumps(announcement.moves, ensure_ascii=False),
        SEVERITY: announcement.severity.value,
        SUBJECT: announcement.subject,
    }
    for name, value in tags.items():
        client.set_tag(run_id, name, value)
    client.log_metric(run_id, AS_OF, announcement.as_of.timestamp())


def _read(runs: list[Run]) -> Iterator[Announcement]:
    """What somebody has edited beyond recognition counts for nothing."""
    for run in runs:
        tags = run.data.tags
        fields: dict[str, JsonValue] = {
            "event_id": tags.get(EVENT_ID),
            "subject": tags.get(SUBJECT),
            "severity": tags.get(SEVERITY),
            "as_of": run.data.metrics[AS_OF],
        }
        try:
            yield Announcement.model_validate({**fields, "moves": json.loads(tags.get(MOVES, ""))})
        except (ValidationError, ValueError):
            continue


def _run_in(uri: str) -> str:
    """The run in `runs:/RUN/profile.json`."""
    return uri.removeprefix("runs:/").partition("/")[0]
