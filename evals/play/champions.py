"""Trains the champions that incidents begin with, once for all incidents that share them."""

from dataclasses import replace
from functools import lru_cache
from typing import Final

import numpy as np
import pandas as pd

from evals.injections.injection import ChampionOrigin
from evals.play.labelled_incident import LabelledIncident
from evals.play.memory_registry import MemoryRegistry
from trimtab.contracts.fitted import FittedModel
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.tags import ROLE_TAG
from trimtab.pipelines.learning.model_fitting import fit_model
from trimtab.pipelines.learning.retraining import get_holdout_metrics
from trimtab.pipelines.learning.training import train_champion
from trimtab.pipelines.requests import TrainingRequest

RELEASE_KEY: Final = "0" * 64
"""Effect key of the release by other people."""
_SPOILT_SHARES: Final = (0.5, 0.75, 1.0)
"""Share of the rows in which a bad release learns from a shuffled column, by strength."""
_KEPT: Final = 8


class _ChampionKey:
    """An incident that is equal to others with the same first champion."""

    def __init__(self, incident: LabelledIncident) -> None:
        self.incident = incident

    def __hash__(self) -> int:
        return hash(self.incident.champion_key)

    def __eq__(self, other: object) -> bool:
        key = self.incident.champion_key
        return isinstance(other, _ChampionKey) and bool(key) and key == other.incident.champion_key


def register_first_champion(incident: LabelledIncident) -> MemoryRegistry:
    """Return a registry that holds the first champion."""
    registry = MemoryRegistry(incident.spec.name, now=incident.watched[0].start)
    registry.register(_train_once(_ChampionKey(incident)))
    return registry


def release_worse_version(incident: LabelledIncident, registry: MemoryRegistry) -> str:
    """Promote a version that learnt from a spoilt table, and return its number."""
    registry.now = incident.onset_time
    champion = registry.get_served(registry.champion_version or "")
    spec, rows = incident.spec, incident.view_history(incident.onset_time)
    window = incident.watched[max(0, incident.truth.onset - 1)]
    start = window.end - spec.reference_windows * spec.window
    fitted = fit_model(
        _spoil(rows, incident),
        spec,
        time_range=type(window)(start, window.end),
        seed=1,
        tags={ROLE_TAG: "challenger"},
    )
    kept = {**fitted.metrics, **get_holdout_metrics(champion, spec.metric)}
    version = registry.register(replace(fitted, metrics=kept))
    registry.release(version, key=RELEASE_KEY)
    return version


def is_bad_release(incident: LabelledIncident) -> bool:
    """Return whether a worse version is promoted at the onset."""
    return incident.origin is ChampionOrigin.BAD_RELEASE


@lru_cache(maxsize=_KEPT)
def _train_once(key: _ChampionKey) -> FittedModel:
    incident = key.incident
    history = incident.view_history(incident.watched[0].start)
    return train_champion(history, incident.spec, TrainingRequest(model=incident.spec.name))


def _spoil(rows: pd.DataFrame, incident: LabelledIncident) -> pd.DataFrame:
    """Shuffle the features among rows: their distributions stay, their relation is lost."""
    rng = np.random.default_rng([incident.id.seed, incident.id.strength])
    chosen = rng.random(len(rows)) < _SPOILT_SHARES[incident.id.strength - 1]
    spoilt = rows.copy()
    for name in _list_spoilt(incident.spec, incident.important):
        spoilt.loc[chosen, name] = rng.permutation(spoilt.loc[chosen, name].to_numpy())
    return spoilt


def _list_spoilt(spec: ModelSpec, important: str | None) -> list[str]:
    return [important] if important else [feature.name for feature in spec.features]
