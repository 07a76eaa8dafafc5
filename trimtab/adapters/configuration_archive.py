"""Keeps each policy and model specification that was in force, by its hash and since when.

An incident may wait for a person for days, and ends under the configuration it began under. So the
mint needs earlier ones too; but only for incidents that began while they were in force. One JSON
Lines file per policy and model; a line is added when the configuration differs from the last one.
"""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Generic, TypeVar

import structlog
from pydantic import AwareDatetime, BaseModel, ConfigDict, ValidationError

from policies.opening_check import was_in_force
from trimtab.adapters.audit.audit_file import UnfitFileError, open_locked, read_locked_file
from trimtab.contracts.base import Digest, compute_digest
from trimtab.contracts.decision import Limits
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.ports import Refused, Unavailable
from trimtab.contracts.reconciliation import ConfigurationPeriod
from trimtab.contracts.slug import slug
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.model_files import list_model_names
from trimtab.runtime.models import load_model_spec
from trimtab.runtime.policy import load_limits_in_force
from trimtab.runtime.settings import Settings

WATCH_SECONDS: Final = 15.0
"""Time between two looks at the configuration; well below the grace."""

_POLICIES: Final = "policy.jsonl"
_MODELS: Final = "models"
_log = structlog.get_logger(__name__)
_Content = TypeVar("_Content", Limits, ModelSpec)


class _Entry(BaseModel, Generic[_Content]):
    """A configuration, and when it was first seen in force."""

    model_config = ConfigDict(frozen=True)

    hash: Digest
    since: AwareDatetime
    content: _Content


def _read_clock() -> datetime:
    return datetime.now(UTC)


class FileConfigurationArchive:
    """The port `ConfigurationArchive` over the configuration files and a folder."""

    def __init__(
        self,
        folder: Path,
        *,
        settings: Settings,
        clock: Callable[[], datetime] = _read_clock,
    ) -> None:
        self.folder = folder
        self._settings = settings
        self._clock = clock

    @classmethod
    def locate(cls, home: Path, *, settings: Settings) -> "FileConfigurationArchive":
        """Return the archive of the deployment with this home."""
        return cls(locate_configuration_archive(home), settings=settings)

    def refresh(self) -> None:
        """Note what is in force now: at the start of a worker, before the first incident."""
        self._note_limits()
        for model in list_model_names():
            self._note_spec(model)

    async def watch(self, stop: asyncio.Event, *, every: float = WATCH_SECONDS) -> None:
        """Note what is in force, again and again, until `stop` is set.

        Grants are minted seldom, or never under a policy that allows nothing. If only the mint
        looked, a policy that was replaced would count as in force until the next grant, for
        whoever starts an incident under it by hand.
        """
        while not stop.is_set():
            try:
                await asyncio.to_thread(self.refresh)
            except Exception as error:  # noqa: BLE001 - a failed look must not end the worker
                _log.warning("configuration_not_archived", error=str(error))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(every):
                    await stop.wait()

    def find_limits(self, policy_hash: str, *, began_at: datetime) -> Limits:
        """Return the limits of that hash.

        Raises:
            Refused: They are not this deployment's, or were replaced before the incident began.
            Unavailable: The archive cannot be read now.
        """
        entries = self._note_limits()
        return _find(entries, policy_hash, began_at=began_at, thing="a policy")

    def find_spec(self, model: str, spec_hash: str, *, began_at: datetime) -> ModelSpec:
        """Return the model's specification of that hash.

        Raises:
            Refused: It is not this deployment's, or was replaced before the incident began.
            Unavailable: The archive cannot be read now.
        """
        entries = self._note_spec(model)
        thing = f"a specification of model {model!r}"
        return _find(entries, spec_hash, began_at=began_at, thing=thing)

    def _note_limits(self) -> list[_Entry[Limits]]:
        limits = _load(lambda: load_limits_in_force(self._settings))
        return self._note(self.folder / _POLICIES, limits, _Entry[Limits])

    def _note_spec(self, model: str) -> list[_Entry[ModelSpec]]:
        spec = _load(lambda: load_model_spec(model))
        path = self.folder / _MODELS / f"{slug(model)}.jsonl"
        return self._note(path, spec, _Entry[ModelSpec])

    def _note(
        self, path: Path, content: _Content | None, kind: type[_Entry[_Content]]
    ) -> list[_Entry[_Content]]:
        """Return every entry of the file, after adding the content if it is a new one."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open_locked(path) as file:
                entries = _parse(path, file.complete_lines, kind)
                if content is None:
                    return entries
                digest = compute_digest(content)
                if not entries or entries[-1].hash != digest:
                    entry = kind(hash=digest, since=self._clock(), content=content)
                    file.append(entry.model_dump_json().encode() + b"\n")
                    entries.append(entry)
                return entries
        except OSError as error:
            msg = f"archive of configurations {path}: {error}"
            raise Unavailable(msg) from error


def _load(load: Callable[[], _Content]) -> _Content | None:
    """Return what is in force; None if it is broken now: then the last good one stays."""
    try:
        return load()
    except BadConfigurationError as error:
        _log.warning("configuration_not_archived", faults=error.faults)
        return None


def _parse(path: Path, content: bytes, kind: type[_Entry[_Content]]) -> list[_Entry[_Content]]:
    """Return the sound lines; one that does not fit its own hash counts for nothing."""
    entries = []
    for raw in content.splitlines():
        try:
            entry = kind.model_validate_json(raw)
        except ValidationError:
            _log.warning("archive_line_unreadable", path=str(path))
            continue
        if compute_digest(entry.content) == entry.hash:
            entries.append(entry)
    return entries


def locate_configuration_archive(home: Path) -> Path:
    """Return the folder of the archive of a deployment."""
    return home / "configuration"


def list_policy_periods(folder: Path) -> list[ConfigurationPeriod]:
    """Return every policy that the archive in a folder holds; none if there is no archive."""
    return _read_periods(folder / _POLICIES, _Entry[Limits])


def list_spec_periods(folder: Path, model: str) -> list[ConfigurationPeriod]:
    """Return every specification of a model that the archive in a folder holds."""
    return _read_periods(folder / _MODELS / f"{slug(model)}.jsonl", _Entry[ModelSpec])


def _read_periods(path: Path, kind: type[_Entry[_Content]]) -> list[ConfigurationPeriod]:
    try:
        content = read_locked_file(path)
    except UnfitFileError:  # it is not there, for example on an auditor's machine
        return []
    return [period for period, _ in _list_periods(_parse(path, content, kind))]


def _list_periods(
    entries: list[_Entry[_Content]],
) -> list[tuple[ConfigurationPeriod, _Entry[_Content]]]:
    """Return each entry with the time at which the next one replaced it."""
    ends: list[datetime | None] = [*(entry.since for entry in entries[1:]), None]
    return [
        (ConfigurationPeriod(hash=entry.hash, since=entry.since, until=end), entry)
        for entry, end in zip(entries, ends, strict=False)
    ]


def _find(
    entries: list[_Entry[_Content]], digest: str, *, began_at: datetime, thing: str
) -> _Content:
    replaced_at: datetime | None = None
    for period, entry in _list_periods(entries):
        if entry.hash != digest:
            continue
        replaced_at = period.until
        if was_in_force(period, began_at):
            return entry.content
    if replaced_at is None:
        msg = f"{thing} with the hash {digest:.12} was never in force here"
    else:
        msg = (
            f"{thing} with the hash {digest:.12} was replaced at {replaced_at:%Y-%m-%d %H:%M}, "
            f"before the incident began at {began_at:%Y-%m-%d %H:%M}"
        )
    raise Refused(msg)
