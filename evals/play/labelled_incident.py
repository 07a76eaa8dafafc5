"""One labelled incident: rows, windows and truth, and where its first champion comes from."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import numpy as np
import pandas as pd

from evals.injections.injection import ChampionOrigin, InjectionKind
from evals.injections.kinds import get_kind
from evals.tables.catalogue import get_table
from evals.tables.table_world import CleanTable, draw_clean_table
from evals.truth import IncidentId, Truth
from trimtab.contracts.model import ModelSpec
from trimtab.pipelines.history.time_ranges import TimeRange

_HIDDEN: Final = "__"
"""Prefix of columns that no model and no detector sees."""
_EARLIEST_ONSET, _ONSETS = 2, 2
"""Onsets are drawn from the third and fourth watched window."""


@dataclass(frozen=True, kw_only=True)
class LabelledIncident:
    """One incident, as it is played."""

    id: IncidentId
    spec: ModelSpec
    rows: pd.DataFrame
    """All rows, with hidden columns; sorted by time."""
    watched: tuple[TimeRange, ...]
    truth: Truth
    origin: ChampionOrigin = ChampionOrigin.SOUND
    dropped_column: str | None = None
    """Column that the table lacks from the onset on."""
    important: str | None = None
    """Column that a bad release ignores; None for all of them."""
    champion_key: str = ""
    """Equal for incidents whose first champion is the same; empty to train it anew."""

    @property
    def onset_time(self) -> datetime:
        """First instant that is affected."""
        return self.watched[self.truth.onset].start

    def view_history(self, until: datetime) -> pd.DataFrame:
        """Return what the table holds at a time, without what is hidden."""
        hidden = [name for name in self.rows if str(name).startswith(_HIDDEN)]
        if self.dropped_column and until > self.onset_time:
            hidden.append(self.dropped_column)
        known = self.rows[self.spec.timestamp] < until
        return self.rows.loc[known].drop(columns=hidden).reset_index(drop=True)


def build_incident(incident: IncidentId) -> LabelledIncident:
    """Return the incident of that id: the same id always gives the same rows."""
    kind, source = get_kind(incident.kind), get_table(incident.table)
    rng = _build_generator(incident)
    drawn = _EARLIEST_ONSET + int(rng.integers(_ONSETS))
    onset = drawn if kind.onset is None else kind.onset
    clean = draw_clean_table(source, seed=incident.seed, onset=onset)
    spec = source.spec.model_copy(update=kind.settings)
    clean = replace(clean, spec=spec)
    changed = clean.with_rows(kind.inject(clean, incident.strength, rng))
    return _label(incident, kind, changed)


def _label(incident: IncidentId, kind: InjectionKind, table: CleanTable) -> LabelledIncident:
    shared = kind.name if kind.changes_reference else ""
    strength = incident.strength if kind.changes_reference else 0
    return LabelledIncident(
        id=incident,
        spec=table.spec,
        rows=table.rows,
        watched=table.watched,
        truth=kind.truth.model_copy(update={"onset": table.onset}),
        origin=kind.champion,
        dropped_column=table.source.important if kind.drops_column else None,
        important=table.source.important,
        champion_key=f"{incident.table}/{incident.seed}/{shared}/{strength}",
    )


def _build_generator(incident: IncidentId) -> np.random.Generator:
    digest = hashlib.sha256(str(incident).encode()).digest()
    return np.random.default_rng([*digest[:16]])
