"""What an injection is: a pure function that puts one change into a clean table, and its truth."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from evals.tables.table_world import CleanTable
from evals.truth import TRUE_TARGET, Truth
from trimtab.contracts.drift import FeatureKind
from trimtab.detection.profiles.arrays import FloatArray

if TYPE_CHECKING:
    from numpy.random import Generator

Inject = Callable[[CleanTable, int, "Generator"], pd.DataFrame]
"""Return the table's rows with the change in them, at a level of `STRENGTHS`."""
STRENGTHS: Final = (1, 2, 3)
"""Weak, medium and strong."""


class ChampionOrigin(StrEnum):
    """Where the model comes from that serves at the onset."""

    SOUND = "sound"
    """The first champion, trained on the reference windows."""
    BAD_RELEASE = "bad_release"
    """A worse version was promoted over the first champion."""
    UNSKILLED = "unskilled"
    """The first champion; the targets that it learnt from are worthless."""


@dataclass(frozen=True, kw_only=True)
class InjectionKind:
    """A kind of incident."""

    name: str
    inject: Inject
    truth: Truth
    """Its onset is replaced by that of the table."""
    champion: ChampionOrigin = ChampionOrigin.SOUND
    onset: int | None = None
    """Watched window of the onset, if it is not drawn."""
    changes_reference: bool = False
    """Whether rows of the reference windows change as well."""
    drops_column: bool = False
    """Whether the table lacks the important column from the onset on."""
    settings: dict[str, Any] = field(default_factory=dict)
    """Fields of the model's configuration that differ."""
    excluded_tables: frozenset[str] = frozenset()


def choose_level(level: int, values: tuple[float, float, float]) -> float:
    """Return the value of a level."""
    return values[STRENGTHS.index(level)]


def replace_values(
    table: CleanTable,
    column: str,
    chosen: "pd.Series[bool]",
    values: Any,  # noqa: ANN401 - one value, or one a row
) -> pd.DataFrame:
    """Return the rows with other values in a column of the chosen rows."""
    rows = table.rows.copy()
    original = rows[column]
    if original.dtype.kind in "OUT" or str(original.dtype) in {"str", "string"}:
        rows[column] = original.astype("object")
    rows.loc[chosen, column] = values
    return rows


def redraw_targets(
    table: CleanTable, rows: pd.DataFrame, weights: FloatArray, rng: "Generator"
) -> pd.DataFrame:
    """Return rows whose targets are drawn again where the weight is not NaN."""
    chosen = ~np.isnan(weights)
    part = rows.loc[chosen]
    targets = table.source.redraw_target(part, weights[chosen], rng).to_numpy()
    changed = rows.copy()
    changed.loc[chosen, table.spec.target] = targets
    changed.loc[chosen, TRUE_TARGET] = targets
    return changed


def build_weights(chosen: "pd.Series[bool]", weight: float) -> FloatArray:
    """Return the weight for chosen rows and NaN for others."""
    return np.where(chosen.to_numpy(), weight, np.nan)


def draw_mask(chosen: "pd.Series[bool]", share: float, rng: "Generator") -> "pd.Series[bool]":
    """Return a random share of the chosen rows."""
    return chosen & pd.Series(rng.random(len(chosen)) < share, index=chosen.index)


def find_categorical(table: CleanTable) -> str:
    """Return the categorical feature that matters most: the first one."""
    return next(each.name for each in table.spec.features if each.kind is FeatureKind.CATEGORICAL)


def get_spread(table: CleanTable, column: str) -> float:
    """Return the standard deviation of a column in the reference windows."""
    times = table.rows[table.spec.timestamp]
    return float(table.rows.loc[times < table.reference.end, column].std())
