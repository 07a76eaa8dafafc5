"""Implements the model registry on MLflow: versions, the alias `champion`, a run per incident.

MLflow cannot compare and set. So a change of the alias is: read, verify, note the intent as a tag
on the version, write, read back, note that it is done. A retry recognises its own work by the tag.
"""

import math
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, TypeVar

from mlflow.entities.model_registry import ModelVersion as RegisteredVersion
from mlflow.exceptions import MlflowException
from mlflow.store.entities.paged_list import PagedList
from mlflow.tracking import MlflowClient

from trimtab.adapters.registry.freezes import FreezeTags
from trimtab.adapters.registry.incident_runs import IncidentRuns
from trimtab.adapters.registry.tracking import open_tracking, translate_mlflow_errors
from trimtab.contracts.audit import ChainEnd, RecordedTip
from trimtab.contracts.base import NAME_PATTERN
from trimtab.contracts.drift import Window
from trimtab.contracts.freeze import Freeze
from trimtab.contracts.incident import IncidentReport
from trimtab.contracts.model import ModelVersion
from trimtab.contracts.ports import ChampionMovedError, Refused
from trimtab.contracts.tags import (
    EFFECT_KEY_TAG,
    TRAINED_END_TAG,
    TRAINED_ROWS_TAG,
    TRAINED_START_TAG,
    build_promotion_tag,
    build_verification_tag,
)
from trimtab.runtime.settings import Settings

CHAMPION_ALIAS: Final = "champion"
_METRICS_KEPT: Final = 1024
"""Runs whose metrics a process keeps in memory."""
_PAGE_SIZE: Final = 500
_INTENDED: Final = "intended"
_DONE: Final = "done"

_Entity = TypeVar("_Entity")


class MlflowRegistry:
    """The port `ModelRegistry`; connects on first use."""

    def __init__(self, *, settings: Settings) -> None:
        self._settings = settings
        self._runs = IncidentRuns(settings=settings)
        self._freezes = FreezeTags(settings=settings)

    def champion(self, model: str) -> ModelVersion | None:
        """Return the version that the alias `champion` points at, or None."""
        with translate_mlflow_errors():
            version = self._find_champion(model)
            if version is None:
                return None
            return self._build_version(self._get_version(model, version), version)

    def versions(self, model: str, *, limit: int = 10) -> tuple[ModelVersion, ...]:
        """Return the newest versions, newest first."""
        with translate_mlflow_errors():
            champion = self._find_champion(model)
            found = self._client.search_model_versions(
                f"name = '{_check_quotes(model)}'",
                max_results=limit,
                order_by=["version_number DESC"],
            )
            return tuple(self._build_version(version, champion) for version in found)

    def find_version(self, model: str, *, key: str) -> ModelVersion | None:
        """Return the oldest version that carries the effect key, or None: search before create."""
        with translate_mlflow_errors():
            name, value = _check_quotes(model), _check_quotes(key)
            found = self._client.search_model_versions(
                f"name = '{name}' AND tag.`{EFFECT_KEY_TAG}` = '{value}'",
                order_by=["version_number ASC"],
            )
            return self._build_version(found[0], self._find_champion(model)) if found else None

    def set_champion(self, model: str, version: str, *, expected: str | None, key: str) -> bool:
        """Point `champion` at version if it points at expected.

        Return False if an earlier attempt with the same key has done it.

        Raises:
            ChampionMovedError: The champion is neither expected nor the result of key; also if it
                once was and somebody has moved it on since.
        """
        with translate_mlflow_errors():
            state = self._get_version(model, version).tags.get(build_promotion_tag(key))
            champion = self._find_champion(model)
            if state is not None and champion == version:
                self._tag_promotion(model, version, key=key, state=_DONE)
                return False
            if state == _DONE or champion != expected:
                msg = (
                    f"champion of {model!r} is version {champion}, not {expected}: "
                    f"somebody moved it, so version {version} is not made champion"
                )
                raise ChampionMovedError(msg)
            self._tag_promotion(model, version, key=key, state=_INTENDED)
            self._client.set_registered_model_alias(model, CHAMPION_ALIAS, version)
            self._check_champion(model, version)
            self._tag_promotion(model, version, key=key, state=_DONE)
            return True

    def mark_verified(self, model: str, version: str, *, key: str) -> None:
        """Note on the version that the plan with this key was verified: it is not undone."""
        with translate_mlflow_errors():
            tag = build_verification_tag(key)
            self._client.set_model_version_tag(model, version, tag, _DONE)

    def record_incident(self, report: IncidentReport) -> None:
        """Record the incident as a run; recording it again changes nothing.

        Raises:
            Refused: It was recorded with another audit tip.
        """
        self._runs.record(report)

    def is_recorded(self, model: str, incident: str) -> bool:
        """Return whether the incident is recorded, as each one is once it has ended."""
        return self._runs.is_recorded(model, incident)

    def last_action_at(self, model: str) -> datetime | None:
        """Return `IncidentReport.acted_at` of the newest recorded incident that acted, or None."""
        return self._runs.find_last_action_time(model)

    def audit_tips(self, model: str | None = None) -> Mapping[str, str]:
        """Return event id to audit tip of every recorded incident; name the model if ids repeat."""
        return {recorded.incident: recorded.tip for recorded in self._runs.list_tips(model)}

    def list_recorded_tips(self) -> tuple[RecordedTip, ...]:
        """Return the end of every recorded incident's audit chain, of all models."""
        return self._runs.list_tips()

    def freeze(self, model: str) -> Freeze | None:
        """Return the freeze of all models or of this model, or None."""
        return self._freezes.find(model)

    def keep_audit_head(self, head: ChainEnd) -> None:
        """Keep the end of the audit log's chain of heads, unless a longer one is kept."""
        self._runs.keep_audit_head(head)

    def read_audit_head(self) -> ChainEnd | None:
        """Return the end of the chain of heads that was kept last; None if there is none."""
        return self._runs.read_audit_head()

    def list_all_versions(self) -> tuple[ModelVersion, ...]:
        """Return every version of every model with its tags, and without its metrics.

        Models with names that Trimtab's may not have are left out: they are other people's.
        """
        with translate_mlflow_errors():
            champions = {
                model.name: str(model.aliases[CHAMPION_ALIAS])
                for model in _read_all(self._client.search_registered_models)
                if CHAMPION_ALIAS in model.aliases
            }
            return tuple(
                _build_bare_version(version, champions.get(version.name))
                for version in _read_all(self._client.search_model_versions)
                if re.fullmatch(NAME_PATTERN, version.name)
            )

    @property
    def _client(self) -> MlflowClient:
        return open_tracking(self._settings)

    def _find_champion(self, model: str) -> str | None:
        try:
            aliases = self._client.get_registered_model(model).aliases
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return None
            raise
        version = aliases.get(CHAMPION_ALIAS)
        return None if version is None else str(version)

    def _get_version(self, model: str, version: str) -> RegisteredVersion:
        return self._client.get_model_version(model, version)

    def _tag_promotion(self, model: str, version: str, *, key: str, state: str) -> None:
        self._client.set_model_version_tag(model, version, build_promotion_tag(key), state)

    def _check_champion(self, model: str, version: str) -> None:
        found = self._find_champion(model)
        if found != version:
            msg = (
                f"champion of {model!r} is version {found} right after it was set to {version}: "
                f"somebody else moved it at the same time"
            )
            raise Refused(msg)

    def _build_version(self, version: RegisteredVersion, champion: str | None) -> ModelVersion:
        return _build_bare_version(version, champion).model_copy(
            update={
                "metrics": self._read_metrics(
                    version.run_id, made_here=TRAINED_ROWS_TAG in version.tags
                )
            }
        )

    def _read_metrics(self, run_id: str | None, *, made_here: bool) -> dict[str, float]:
        """Return what training measured; nothing if the run is gone.

        The run of a version that our training made never changes, so it is read once a process.
        """
        if not run_id:
            return {}
        read = _read_finished_metrics if made_here else _read_finished_metrics.__wrapped__
        try:
            return dict(read(self._client, run_id))
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return {}
            raise


@lru_cache(maxsize=_METRICS_KEPT)
def _read_finished_metrics(client: MlflowClient, run_id: str) -> Mapping[str, float]:
    """Return a run's finite metrics; `open_tracking` keeps one client for each server."""
    metrics = client.get_run(run_id).data.metrics
    return {name: value for name, value in metrics.items() if math.isfinite(value)}


def _build_bare_version(version: RegisteredVersion, champion: str | None) -> ModelVersion:
    """Return a version without the metrics, which are in its run."""
    tags = {str(name): str(value) for name, value in version.tags.items()}
    return ModelVersion(
        model=version.name,
        version=str(version.version),
        created_at=datetime.fromtimestamp(version.creation_timestamp / 1000, UTC),
        champion=str(version.version) == champion,
        trained_on=_parse_training_window(tags),
        tags=tags,
    )


def _read_all(search: Callable[..., PagedList[_Entity]]) -> Iterator[_Entity]:
    """Yield everything that a search of MLflow finds, page by page."""
    page = search(max_results=_PAGE_SIZE)
    yield from page
    while page.token:
        page = search(max_results=_PAGE_SIZE, page_token=page.token)
        yield from page


def _parse_training_window(tags: Mapping[str, str]) -> Window | None:
    """Return the window that training noted; None if it noted none, or nonsense."""
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


def _check_quotes(value: str) -> str:
    """Return the value if it holds no quote, which MLflow's filters cannot escape."""
    if "'" in value:
        msg = f"{value!r} holds a quote: names and keys hold none"
        raise Refused(msg)
    return value
