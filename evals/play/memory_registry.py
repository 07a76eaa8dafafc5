"""A model registry in memory: the ports `ModelRegistry` and `ServedModels` over fitted models."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from trimtab.contracts import tags
from trimtab.contracts.audit import ChainEnd
from trimtab.contracts.drift import Window
from trimtab.contracts.fitted import FittedModel, ServedModel, ServedWindow
from trimtab.contracts.freeze import Freeze
from trimtab.contracts.incident import IncidentReport
from trimtab.contracts.model import ModelVersion
from trimtab.contracts.ports import ChampionMovedError, NoChampionError, Refused

_DONE = "done"


@dataclass
class _Entry:
    fitted: FittedModel
    created_at: datetime
    tags: dict[str, str] = field(default_factory=dict)


class MemoryRegistry:
    """The versions of one model; `now` is the time of what is registered next."""

    def __init__(self, model: str, *, now: datetime) -> None:
        self._model = model
        self.now = now
        self.champion_version: str | None = None
        self.acted_at: datetime | None = None
        self._entries: dict[str, _Entry] = {}
        self._windows: list[ServedWindow] = []

    def note_window(self, noted: Mapping[str, str]) -> None:
        """Keep which version a window was judged with, from the tags of its run."""
        start = datetime.fromisoformat(noted[tags.WINDOW_START_TAG])
        self._windows.insert(0, ServedWindow(noted[tags.CHAMPION_TAG], start))

    def register(self, fitted: FittedModel) -> str:
        """Add a version and return its number; one with the same effect key is found again."""
        key = fitted.tags.get(tags.EFFECT_KEY_TAG)
        found = self.find_version(self._model, key=key) if key else None
        if found is not None:
            return found.version
        version = str(len(self._entries) + 1)
        self._entries[version] = _Entry(fitted, self.now, dict(fitted.tags))
        if fitted.alias:
            self.champion_version = version
        return version

    def release(self, version: str, *, key: str) -> None:
        """Make a version champion, as a release by other people does."""
        self.champion_version = version
        self._entries[version].tags[tags.build_promotion_tag(key)] = _DONE

    def champion(self, model: str) -> ModelVersion | None:
        """Return the champion, or None."""
        return self._build_version(self.champion_version) if self.champion_version else None

    def versions(self, model: str, *, limit: int = 10) -> tuple[ModelVersion, ...]:
        """Return the newest versions, newest first."""
        return tuple(map(self._build_version, reversed(self._entries)))[:limit]

    def find_version(self, model: str, *, key: str) -> ModelVersion | None:
        """Return the version that carries the effect key, or None."""
        for version, entry in self._entries.items():
            if entry.tags.get(tags.EFFECT_KEY_TAG) == key:
                return self._build_version(version)
        return None

    def set_champion(self, model: str, version: str, *, expected: str | None, key: str) -> bool:
        """Point the alias at a version if it points at `expected` now."""
        mark = tags.build_promotion_tag(key)
        if mark in self._entries[version].tags and version == self.champion_version:
            return False
        if self.champion_version != expected:
            msg = f"the champion is {self.champion_version}, not {expected}"
            raise ChampionMovedError(msg)
        self.champion_version = version
        self._entries[version].tags[mark] = _DONE
        return True

    def mark_verified(self, model: str, version: str, *, key: str) -> None:
        """Note on the version that a plan was verified."""
        self._entries[version].tags[tags.build_verification_tag(key)] = _DONE

    def record_incident(self, report: IncidentReport) -> None:
        """Forget the report: the player keeps its own record."""

    def is_recorded(self, model: str, incident: str) -> bool:
        """Return False: the player never repeats an incident."""
        return False

    def last_action_at(self, model: str) -> datetime | None:
        """Return the time of the last action that replaced a champion, or None."""
        return self.acted_at

    def keep_audit_head(self, head: ChainEnd) -> None:
        """Keep nothing: there is no audit log."""

    def audit_tips(self, model: str | None = None) -> Mapping[str, str]:
        """Return nothing: there is no audit log."""
        return {}

    def freeze(self, model: str) -> Freeze | None:
        """Return None: nothing is frozen."""
        return None

    def get_served(self, version: str) -> ServedModel:
        """Return a version as pipelines load it; raise `Refused` if there is none."""
        if version not in self._entries:
            msg = f"there is no version {version}"
            raise Refused(msg)
        entry = self._entries[version]
        fitted = entry.fitted
        return ServedModel(
            version=version,
            run_id=f"run-{version}",
            metrics=fitted.metrics,
            tags=dict(entry.tags),
            load=lambda: fitted.estimator,
            artifact=partial(_read_file, fitted.artifacts),
            frame=partial(_read_file, fitted.frames),
            companion=partial(_read_file, fitted.companions),
            served_windows=lambda: tuple(self._windows),
        )

    def _build_version(self, version: str) -> ModelVersion:
        entry = self._entries[version]
        start, end, rows = (
            entry.tags.get(name)
            for name in (tags.TRAINED_START_TAG, tags.TRAINED_END_TAG, tags.TRAINED_ROWS_TAG)
        )
        trained = Window.model_validate({"start": start, "end": end, "rows": int(rows or 0)})
        return ModelVersion(
            model=self._model,
            version=version,
            created_at=entry.created_at,
            champion=version == self.champion_version,
            metrics=dict(entry.fitted.metrics),
            trained_on=trained,
            tags=dict(entry.tags),
        )


class MemoryModels:
    """The port `ServedModels` over the registry."""

    def __init__(self, registry: MemoryRegistry) -> None:
        self._registry = registry

    def champion(self) -> ServedModel:
        """Return the champion."""
        if self._registry.champion_version is None:
            msg = "there is no champion"
            raise NoChampionError(msg)
        return self.version(self._registry.champion_version)

    def version(self, version: str) -> ServedModel:
        """Return one version."""
        return self._registry.get_served(version)

    def made_by(self, key: str) -> ServedModel | None:
        """Return the version that carries the effect key, or None."""
        found = self._registry.find_version("", key=key)
        return self.version(found.version) if found else None


def _read_file(files: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - of any type
    if name not in files:
        msg = f"the version has no file {name}"
        raise Refused(msg)
    return files[name]
