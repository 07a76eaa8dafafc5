"""The model registry over MLflow: versions, the alias `champion`, and a run for every incident.

MLflow cannot compare and set. So a change of the alias is: read, verify, note the intent as a tag
on the version, write, read back, note that it is done. A retry recognises its own work by the tag.
"""

import math
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from mlflow.entities.model_registry import ModelVersion as RegisteredVersion
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

from trimtab.adapters.registry.incident_runs import IncidentRuns
from trimtab.adapters.registry.tracking import faults_sorted, open_tracking
from trimtab.contracts.audit import RecordedTip
from trimtab.contracts.drift import Window
from trimtab.contracts.incident import IncidentReport
from trimtab.contracts.model import ModelVersion
from trimtab.contracts.ports import Refused
from trimtab.contracts.tags import (
    EFFECT_KEY_TAG,
    TRAINED_END_TAG,
    TRAINED_ROWS_TAG,
    TRAINED_START_TAG,
    build_promotion_tag,
)
from trimtab.runtime.settings import Settings

CHAMPION: Final = "champion"
_INTENDED: Final = "intended"
_DONE: Final = "done"


class MlflowRegistry:
    """The port `ModelRegistry`; connects on first use."""

    def __init__(self, *, settings: Settings) -> None:
        os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")  # Temporal retries
        self._settings = settings
        self._runs = IncidentRuns(settings=settings)

    def champion(self, model: str) -> ModelVersion | None:
        """The version that the alias `champion` points at, or None."""
        with faults_sorted():
            version = self._champion(model)
            return None if version is None else self._read(self._version(model, version), version)

    def versions(self, model: str, *, limit: int = 10) -> tuple[ModelVersion, ...]:
        """The newest versions, newest first."""
        with faults_sorted():
            champion = self._champion(model)
            found = self._client.search_model_versions(
                f"name = '{_unquoted(model)}'",
                max_results=limit,
                order_by=["version_number DESC"],
            )
            return tuple(self._read(version, champion) for version in found)

    def find_version(self, model: str, *, key: str) -> ModelVersion | None:
        """The oldest version that carries the effect key, or None: search before create."""
        with faults_sorted():
            found = self._client.search_model_versions(
                f"name = '{_unquoted(model)}' AND tag.`{EFFECT_KEY_TAG}` = '{_unquoted(key)}'",
                order_by=["version_number ASC"],
            )
            return self._read(found[0], self._champion(model)) if found else None

    def set_champion(self, model: str, version: str, *, expected: str | None, key: str) -> bool:
        """Point `champion` at version if it points at expected; False when already done by key.

        Raises `Refused` when the champion is neither expected nor the result of key, also when it
        once was and somebody has moved it on since.
        """
        with faults_sorted():
            mark = self._version(model, version).tags.get(build_promotion_tag(key))
            champion = self._champion(model)
            if mark is not None and champion == version:
                self._mark(model, version, key=key, as_=_DONE)
                return False
            if mark == _DONE or champion != expected:
                msg = (
                    f"champion of {model!r} is version {champion}, not {expected}: "
                    f"somebody moved it, so version {version} is not made champion"
                )
                raise Refused(msg)
            self._mark(model, version, key=key, as_=_INTENDED)
            self._client.set_registered_model_alias(model, CHAMPION, version)
            self._expect_champion(model, version)
            self._mark(model, version, key=key, as_=_DONE)
            return True

    def record_incident(self, report: IncidentReport) -> None:
        """Keep the incident as a run; again is no harm.

        Raises `Refused` when it was recorded with another audit tip.
        """
        self._runs.record(report)

    def last_action_at(self, model: str) -> datetime | None:
        """`IncidentReport.acted_at` of the newest recorded incident that acted, or None."""
        return self._runs.last_action_at(model)

    def audit_tips(self, model: str | None = None) -> Mapping[str, str]:
        """Event id to audit tip of every incident recorded; name the model where ids repeat."""
        return {recorded.incident: recorded.tip for recorded in self._runs.tips(model)}

    def recorded_tips(self) -> tuple[RecordedTip, ...]:
        """The end of every recorded incident's audit chain, of all models."""
        return self._runs.tips()

    @property
    def _client(self) -> MlflowClient:
        return open_tracking(self._settings)

    def _champion(self, model: str) -> str | None:
        try:
            aliases = self._client.get_registered_model(model).aliases
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise
        version = aliases.get(CHAMPION)
        return None if version is None else str(version)

    def _version(self, model: str, version: str) -> RegisteredVersion:
        return self._client.get_model_version(model, version)

    def _mark(self, model: str, version: str, *, key: str, as_: str) -> None:
        self._client.set_model_version_tag(model, version, build_promotion_tag(key), as_)

    def _expect_champion(self, model: str, version: str) -> None:
        found = self._champion(model)
        if found != version:
            msg = (
                f"champion of {model!r} is version {found} right after it was set to {version}: "
                f"somebody else moved it at the same time"
            )
            raise Refused(msg)

    def _read(self, version: RegisteredVersion, champion: str | None) -> ModelVersion:
        tags = {str(name): str(value) for name, value in version.tags.items()}
        return ModelVersion(
            model=version.name,
            version=str(version.version),
            created_at=datetime.fromtimestamp(version.creation_timestamp / 1000, UTC),
            champion=str(version.version) == champion,
            metrics=self._metrics(version.run_id),
            trained_on=_trained_on(tags),
            tags=tags,
        )

    def _metrics(self, run_id: str | None) -> dict[str, float]:
        """What training measured; nothing where the run is gone."""
        if not run_id:
            return {}
        try:
            metrics = self._client.get_run(run_id).data.metrics
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return {}
            raise
        return {name: value for name, value in metrics.items() if math.isfinite(value)}


def _trained_on(tags: Mapping[str, str]) -> Window | None:
    """The window that training noted; None where it noted none or nonsense."""
    try:
        return Window.model_validate(
            {
                "start": tags[TRAINED_START_TAG],
                "end": tags[TRAINED_END_TAG],
                "rows": tags[TRAINED_ROWS_TAG],
            }
        )
    except (KeyError, ValueError):
        return None


def _unquoted(value: str) -> str:
    """MLflow's filters cannot escape a quote."""
    if "'" in value:
        msg = f"{value!r} holds a quote: names and keys hold none"
        raise Refused(msg)
    return value
