"""Reads suites of labelled incidents from files: `evals/README.md` documents the format."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import pandas as pd
import yaml
from pydantic import AwareDatetime, Field, ValidationError

from evals.injections.injection import ChampionOrigin
from evals.play.labelled_incident import LabelledIncident, build_incident
from evals.truth import TRUE_TARGET, Due, IncidentId, Truth
from trimtab.contracts.base import Name, Record
from trimtab.contracts.deliberation import Cause
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.ports import Refused
from trimtab.contracts.remediation import Action
from trimtab.contracts.validation_errors import format_validation_errors
from trimtab.pipelines.history.time_ranges import TimeRange

SUITE_FORMAT: Final = "trimtab-evals/1"


class TruthEntry(Record):
    """The truth about an incident, as a file says it."""

    causes: tuple[tuple[Cause, ...], ...] = Field(min_length=1)
    actions: tuple[Action, ...] = Field(min_length=1)
    forbidden: tuple[Action, ...] = ()
    due: Due = Due.DUE
    onset: AwareDatetime
    """First instant that is affected: the start of a watched window."""
    windows: int | None = Field(default=None, ge=1)
    """Number of affected windows; left out if the change lasts."""


class IncidentEntry(Record):
    """One incident: of the catalogue by its id, or of a table with a truth."""

    table: Name
    kind: Name
    strength: int = Field(default=2, ge=1, le=3)
    seed: int = Field(default=0, ge=0)
    rows: str | None = None
    """CSV or Parquet file, by its path from the suite's file; None for a built-in incident."""
    true_target: str | None = None
    """Column of the targets as they are in the world; None if those that arrive are right."""
    spec: ModelSpec | None = None
    """The model's configuration, with `start` set."""
    truth: TruthEntry | None = None


class SuiteFile(Record):
    """The content of a suite's file."""

    format: str = Field(pattern=f"^{SUITE_FORMAT}$")
    name: Name
    incidents: tuple[IncidentEntry, ...] = Field(min_length=1)


@dataclass(frozen=True)
class LoadedSuite:
    """A suite that was read from a file."""

    path: Path

    def list_ids(self) -> list[IncidentId]:
        """Return the ids of the incidents; raise `Refused` if two are equal."""
        ids = [_identify(entry) for entry in read_suite_file(self.path).incidents]
        if len({str(each) for each in ids}) < len(ids):
            msg = f"{self.path}: two incidents have the same table, kind, strength and seed"
            raise Refused(msg)
        return ids

    def build_incident(self, incident: IncidentId) -> LabelledIncident:
        """Return one of the incidents."""
        entries = read_suite_file(self.path).incidents
        entry = next(each for each in entries if _identify(each) == incident)
        if entry.rows is None:
            return build_incident(incident)
        return _load_incident(entry, self.path)


def load_suite(path: Path) -> LoadedSuite:
    """Return the suite of a file, or of `suite.yml` in a folder; raise `Refused` for faults."""
    found = path / "suite.yml" if path.is_dir() else path
    read_suite_file(found)
    return LoadedSuite(found)


@cache
def read_suite_file(path: Path) -> SuiteFile:
    """Return the content of a suite's file, YAML or JSON."""
    try:
        return SuiteFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        faults = "; ".join(format_validation_errors(error, max_value_length=100))
        msg = f"{path} is no suite: {faults}"
    except (OSError, ValueError, yaml.YAMLError) as error:
        msg = f"{path} cannot be read as a suite: {error}"
    raise Refused(msg)


def _identify(entry: IncidentEntry) -> IncidentId:
    return IncidentId(table=entry.table, kind=entry.kind, strength=entry.strength, seed=entry.seed)


def _load_incident(entry: IncidentEntry, path: Path) -> LabelledIncident:
    spec, truth = entry.spec, entry.truth
    if spec is None or truth is None or spec.start is None:
        msg = f"{path}: {entry.kind}: an incident with rows needs spec, spec.start and truth"
        raise Refused(msg)
    rows = _read_table(path.parent / (entry.rows or ""), spec)
    target = entry.true_target or spec.target
    rows = rows.assign(**{TRUE_TARGET: rows[target]})
    if entry.true_target:
        rows = rows.drop(columns=entry.true_target)
    watched = _cut_watched_windows(rows, spec)
    starts = [window.start for window in watched]
    if truth.onset not in starts:
        msg = f"{path}: {entry.kind}: onset {truth.onset} is the start of no watched window"
        raise Refused(msg)
    fields = {**dict(truth), "onset": starts.index(truth.onset)}
    return LabelledIncident(
        id=_identify(entry),
        spec=spec,
        rows=rows,
        watched=watched,
        truth=Truth.model_validate(fields),
        origin=ChampionOrigin.SOUND,
    )


def _read_table(path: Path, spec: ModelSpec) -> pd.DataFrame:
    table = pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path)
    times = pd.to_datetime(table[spec.timestamp], utc=True)
    timed = table.assign(**{spec.timestamp: times})
    return timed.sort_values(spec.timestamp, kind="stable").reset_index(drop=True)


def _cut_watched_windows(rows: pd.DataFrame, spec: ModelSpec) -> tuple[TimeRange, ...]:
    """Return the whole windows after the reference."""
    if spec.start is None:
        return ()
    first = spec.start + spec.reference_windows * spec.window
    last = rows[spec.timestamp].max().to_pydatetime()
    count = max(1, round((last - first) / spec.window))
    return tuple(
        TimeRange(first + index * spec.window, first + (index + 1) * spec.window)
        for index in range(count)
    )
