"""The built-in suite: every kind on every table, once a seed, at strengths that take turns."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final

from evals.injections.injection import STRENGTHS
from evals.injections.kinds import get_kind, list_kinds
from evals.tables.catalogue import TABLES, get_table
from evals.truth import IncidentId
from trimtab.contracts.ports import Refused

HELD_OUT_FROM: Final = 1000
"""First seed that nothing is fitted or chosen on."""


class Split(StrEnum):
    """Seeds that rules may be tuned on, and those that only judge."""

    TRAINING = "training"
    HELD_OUT = "held-out"


class SuiteSelection:
    """Which incidents of a suite are played."""

    def __init__(
        self,
        seeds: Sequence[int],
        *,
        split: Split = Split.TRAINING,
        kinds: Sequence[str] = (),
        tables: Sequence[str] = (),
        every_strength: bool = False,
    ) -> None:
        self.kinds = [get_kind(name).name for name in kinds]
        self.tables = [get_table(name).name for name in tables] or list(TABLES)
        self.seeds = shift_seeds(seeds, split)
        self.split = split
        self.every_strength = every_strength


def shift_seeds(seeds: Sequence[int], split: Split) -> list[int]:
    """Return the seeds of a split; raise `Refused` if training seeds reach the held-out ones."""
    if any(not 0 <= seed < HELD_OUT_FROM for seed in seeds):
        msg = f"seeds are 0 to {HELD_OUT_FROM - 1}; --split says which incidents they give"
        raise Refused(msg)
    return [seed + (HELD_OUT_FROM if split is Split.HELD_OUT else 0) for seed in seeds]


def list_builtin_incidents(selection: SuiteSelection) -> list[IncidentId]:
    """Return the incidents, so that a run that is stopped early has played some of each table."""
    kinds = [
        (number, kind)
        for number, kind in enumerate(list_kinds())
        if not selection.kinds or kind.name in selection.kinds
    ]
    return [
        IncidentId(table=table, kind=kind.name, strength=strength, seed=seed)
        for seed in selection.seeds
        for number, kind in kinds
        for place, table in enumerate(selection.tables)
        if table not in kind.excluded_tables
        for strength in (
            STRENGTHS
            if selection.every_strength
            else [STRENGTHS[(seed + number + place) % len(STRENGTHS)]]
        )
    ]
