"""Changes of the world: inputs, targets and their relation move; the data itself is sound."""

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from evals.injections.injection import (
    build_weights,
    choose_level,
    draw_mask,
    get_spread,
    redraw_targets,
)
from evals.tables.table_world import (
    SEASON,
    CleanTable,
    draw_window,
    is_regression,
    list_columns,
)
from trimtab.contracts.drift import FeatureKind
from trimtab.detection.profiles.arrays import FloatArray

if TYPE_CHECKING:
    from numpy.random import Generator

SEASON_WINDOWS = 2
"""Windows that a recurring pattern lasts."""
NEW_CATEGORY = "new_market"


def change_nothing(table: CleanTable, _level: int, _rng: "Generator") -> pd.DataFrame:
    """Return the rows as they are."""
    return table.rows


def shift_unimportant_column(table: CleanTable, level: int, _rng: "Generator") -> pd.DataFrame:
    """Move a column that the target does not depend on."""
    column = table.source.unimportant
    step = choose_level(level, (0.5, 1.0, 2.0)) * get_spread(table, column)
    return table.rows.assign(
        **{column: table.rows[column].where(~table.select(), table.rows[column] + step)}
    )


def shift_every_column_slightly(table: CleanTable, level: int, rng: "Generator") -> pd.DataFrame:
    """Move every numeric column a little, with targets of the same relation."""
    share, chosen, rows = choose_level(level, (0.05, 0.1, 0.15)), table.select(), table.rows
    for column in list_columns(table.source, FeatureKind.NUMERIC):
        if column != table.source.important or table.source.name != "parking":
            step = share * get_spread(table, column)
            rows = rows.assign(**{column: rows[column].where(~chosen, rows[column] + step)})
    return redraw_targets(table, rows, build_weights(chosen, 0.0), rng)


def shift_inside_support(table: CleanTable, level: int, rng: "Generator") -> pd.DataFrame:
    """Draw rows with a high important column more often; their targets stay theirs."""
    strength = choose_level(level, (1.0, 2.0, 4.0))
    return _resample(table, table.source.important, strength, rng)


def shift_outside_support(table: CleanTable, level: int, rng: "Generator") -> pd.DataFrame:
    """Move rows to where there were none; the relation goes on as the world has it."""
    column, share = table.source.important, choose_level(level, (0.3, 0.5, 0.8))
    chosen = draw_mask(table.select(), share, rng)
    step = 4.0 * get_spread(table, column)
    rows = table.rows.assign(
        **{column: table.rows[column].where(~chosen, table.rows[column] + step)}
    )
    return redraw_targets(table, rows, build_weights(chosen, 0.0), rng)


def shift_labels(table: CleanTable, level: int, rng: "Generator") -> pd.DataFrame:
    """Draw rows with a high target, or of the rarer class, more often."""
    return _resample(table, table.spec.target, choose_level(level, (1.0, 2.0, 4.0)), rng)


def change_concept(table: CleanTable, level: int, rng: "Generator") -> pd.DataFrame:
    """Change the relation for all rows from the onset on."""
    weight = choose_level(level, (0.12, 0.3, 0.8))
    return redraw_targets(table, table.rows, build_weights(table.select(), weight), rng)


def flip_concept_of_segment(table: CleanTable, level: int, rng: "Generator") -> pd.DataFrame:
    """Turn the relation around for one segment; stronger levels for several categories."""
    categories = table.rows[table.source.segment_column].value_counts().index.tolist()
    share = choose_level(level, (0.2, 0.4, 0.6))
    column = table.rows[table.source.segment_column]
    chosen: list[object] = []
    for category in [table.source.segment, *categories]:
        if category not in chosen and float(column.isin(chosen).mean()) < share:
            chosen.append(category)
    weights = build_weights(table.select() & column.isin(chosen), 1.0)
    return redraw_targets(table, table.rows, weights, rng)


def change_concept_gradually(table: CleanTable, level: int, rng: "Generator") -> pd.DataFrame:
    """Change the relation more with each window."""
    step = choose_level(level, (0.06, 0.12, 0.25))
    since = (table.rows[table.spec.timestamp] - table.onset_time) / table.spec.window
    weights = np.minimum(1.0, step * (np.floor(since.to_numpy(dtype="float64")) + 1.0))
    return redraw_targets(
        table, table.rows, np.where(table.select().to_numpy(), weights, np.nan), rng
    )


def add_segment(table: CleanTable, level: int, rng: "Generator") -> pd.DataFrame:
    """Give a share of the rows a new category, in which the relation is turned around."""
    chosen = draw_mask(table.select(), choose_level(level, (0.1, 0.2, 0.35)), rng)
    column = table.source.segment_column
    rows = table.rows.assign(**{column: table.rows[column].where(~chosen, NEW_CATEGORY)})
    return redraw_targets(table, rows, build_weights(chosen, 1.0), rng)


def repeat_season(table: CleanTable, level: int, rng: "Generator") -> pd.DataFrame:
    """Put in a pattern of two windows that was there a season ago, before the reference."""
    before = table.onset_time - SEASON
    earlier = [
        draw_window(table.source, before + index * table.spec.window, rng)
        for index in range(SEASON_WINDOWS)
    ]
    rows = pd.concat([*earlier, table.rows], ignore_index=True)
    whole = table.with_rows(rows)
    times = whole.rows[table.spec.timestamp]
    first = times < before + SEASON_WINDOWS * table.spec.window
    chosen = first | whole.select(SEASON_WINDOWS)
    column = table.source.unimportant
    step = 2.0 * get_spread(table, column)
    moved = whole.rows.assign(
        **{column: whole.rows[column].where(~chosen, whole.rows[column] + step)}
    )
    weight = choose_level(level, (0.2, 0.4, 0.7))
    return redraw_targets(table, moved, build_weights(chosen, weight), rng)


def change_concept_behind_red_herring(
    table: CleanTable, level: int, rng: "Generator"
) -> pd.DataFrame:
    """Move an unimportant column far at the moment at which the relation changes."""
    moved = table.with_rows(shift_unimportant_column(table, 3, rng))
    return change_concept(moved, level, rng)


def shrink_windows(table: CleanTable, level: int, rng: "Generator") -> pd.DataFrame:
    """Leave few rows in every window, the reference included; nothing happens."""
    rows = choose_level(level, (90.0, 70.0, 50.0))
    share = rows / table.source.rows_per_window
    return table.rows[rng.random(len(table.rows)) < share]


def _resample(table: CleanTable, column: str, strength: float, rng: "Generator") -> pd.DataFrame:
    """Draw the affected rows again, the likelier the higher their value in a column.

    Drawn rows get new times within their window, so that none comes twice.
    """
    chosen, spec = table.select(), table.spec
    pieces = [table.rows[~chosen]]
    affected = table.rows[chosen]
    windows = (affected[spec.timestamp] - table.onset_time) // spec.window
    for _, rows in affected.groupby(windows):
        weights = np.exp(strength * _rank_values(rows[column], table))
        drawn = rng.choice(len(rows), len(rows), p=weights / weights.sum(), replace=True)
        pieces.append(_vary(rows.iloc[drawn], rows[spec.timestamp], table, rng))
    return pd.concat(pieces, ignore_index=True)


def _rank_values(values: "pd.Series[Any]", table: CleanTable) -> FloatArray:
    if values.name == table.spec.target and not is_regression(table.spec):
        return np.asarray(values == "yes", dtype="float64")
    return np.asarray(values.rank(pct=True), dtype="float64")


def _vary(
    drawn: pd.DataFrame, times: "pd.Series[pd.Timestamp]", table: CleanTable, rng: "Generator"
) -> pd.DataFrame:
    column = table.source.unimportant
    noise = rng.normal(0.0, 0.05 * get_spread(table, column), len(drawn))
    columns: dict[str, Any] = {
        table.spec.timestamp: times.to_numpy(),
        column: drawn[column] + noise,
    }
    return drawn.assign(**columns)
