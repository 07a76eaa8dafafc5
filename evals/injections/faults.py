"""Broken data: the world stays as it is, and what arrives of it is wrong, missing or late."""

from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from evals.injections.injection import (
    choose_level,
    draw_mask,
    find_categorical,
    replace_values,
)
from evals.injections.shifts import change_concept
from evals.tables.table_world import CleanTable, is_regression
from evals.truth import TRUE_TARGET

if TYPE_CHECKING:
    from numpy.random import Generator

SENTINEL = -999.0
OUTAGE_DAYS = 2
"""Days of one week on which a source is broken."""


def change_unit(table: CleanTable, level: int, _rng: "Generator") -> pd.DataFrame:
    """Report the important column in another unit in all rows."""
    return _scale_important(table, table.select(), level)


def change_unit_of_half(table: CleanTable, level: int, rng: "Generator") -> pd.DataFrame:
    """Report the important column in another unit in random rows."""
    share = choose_level(level, (0.3, 0.5, 0.7))
    return _scale_important(table, draw_mask(table.select(), share, rng), 2)


def change_unit_of_segment(table: CleanTable, level: int, _rng: "Generator") -> pd.DataFrame:
    """Report the important column in another unit in the rows of one category."""
    inside = table.rows[table.source.segment_column] == table.source.segment
    return _scale_important(table, table.select() & inside, level)


def drop_values(table: CleanTable, _level: int, _rng: "Generator") -> pd.DataFrame:
    """Leave the important column empty in all rows."""
    return replace_values(table, table.source.important, table.select(), np.nan)


def drop_values_of_half(table: CleanTable, level: int, rng: "Generator") -> pd.DataFrame:
    """Leave the important column empty in random rows."""
    chosen = draw_mask(table.select(), choose_level(level, (0.3, 0.5, 0.7)), rng)
    return replace_values(table, table.source.important, chosen, np.nan)


def fill_default(table: CleanTable, level: int, rng: "Generator") -> pd.DataFrame:
    """Put a default, a common value, into the important column of random rows."""
    chosen = draw_mask(table.select(), choose_level(level, (0.2, 0.3, 0.5)), rng)
    return replace_values(table, table.source.important, chosen, _find_typical(table, 0.8))


def make_constant(table: CleanTable, _level: int, _rng: "Generator") -> pd.DataFrame:
    """Put one value into the important column of all rows."""
    return replace_values(table, table.source.important, table.select(), _find_typical(table, 0.7))


def stick_sensor(table: CleanTable, level: int, _rng: "Generator") -> pd.DataFrame:
    """Repeat the last value of the important column in the rows of some categories."""
    column, important = table.rows[table.source.segment_column], table.source.important
    wanted = choose_level(level, (0.2, 0.4, 0.6))
    chosen: list[object] = []
    for category in [table.source.segment, *column.value_counts().index]:
        if category not in chosen and float(column.isin(chosen).mean()) < wanted:
            chosen.append(category)
    stuck = table.select() & column.isin(chosen)
    before = table.rows.loc[~table.select() & column.isin(chosen), important]
    return replace_values(table, important, stuck, float(before.iloc[-1]))


def fill_sentinel(table: CleanTable, level: int, rng: "Generator") -> pd.DataFrame:
    """Put -999 for missing values into the important column of random rows."""
    chosen = draw_mask(table.select(), choose_level(level, (0.1, 0.3, 0.6)), rng)
    return replace_values(table, table.source.important, chosen, SENTINEL)


def rename_category(table: CleanTable, level: int, _rng: "Generator") -> pd.DataFrame:
    """Write the names of categories in another way."""
    name = find_categorical(table)
    column, chosen = table.rows[name].astype("object"), table.select()
    count = round(choose_level(level, (0.34, 0.67, 1.0)) * column.nunique())
    renamed = {each: f"{each}_v2" for each in column.value_counts().index[: max(1, count)]}
    return table.rows.assign(**{name: column.where(~chosen, column.replace(renamed))})


def drop_column(table: CleanTable, _level: int, _rng: "Generator") -> pd.DataFrame:
    """Deliver no values of the important column: the column is gone from the feed."""
    return replace_values(table, table.source.important, table.select(), np.nan)


def retype_column(table: CleanTable, _level: int, _rng: "Generator") -> pd.DataFrame:
    """Deliver the important column as text that is no number."""
    name = table.source.important
    column = table.rows[name].astype("object")
    text = "about " + table.rows[name].round().astype("str")
    return table.rows.assign(**{name: column.where(~table.select(), text)})


def shuffle_labels(table: CleanTable, level: int, rng: "Generator") -> pd.DataFrame:
    """Swap the targets of one week at random; the true ones stay known to us."""
    share = choose_level(level, (0.6, 0.8, 1.0))
    chosen = draw_mask(table.select(1), share, rng)
    targets = rng.permutation(table.rows.loc[chosen, table.spec.target].to_numpy())
    return replace_values(table, table.spec.target, chosen, targets)


def default_labels(table: CleanTable, level: int, rng: "Generator") -> pd.DataFrame:
    """Store outcomes that are not known yet as zero."""
    chosen = draw_mask(table.select(), choose_level(level, (0.3, 0.5, 0.7)), rng)
    value = 0.0 if is_regression(table.spec) else "no"
    return replace_values(table, table.spec.target, chosen, value)


def flip_labels(table: CleanTable, level: int, rng: "Generator") -> pd.DataFrame:
    """Turn targets around: the other class, or the mirrored number."""
    chosen = draw_mask(table.select(), choose_level(level, (0.6, 0.8, 1.0)), rng)
    target = table.rows.loc[chosen, table.spec.target]
    if is_regression(table.spec):
        mean = float(pd.to_numeric(table.rows[TRUE_TARGET]).mean())
        return replace_values(table, table.spec.target, chosen, (2.0 * mean - target).to_numpy())
    return replace_values(table, table.spec.target, chosen, np.where(target == "yes", "no", "yes"))


def delay_labels(table: CleanTable, level: int, rng: "Generator") -> pd.DataFrame:
    """Leave targets empty."""
    chosen = draw_mask(table.select(), choose_level(level, (0.8, 0.95, 1.0)), rng)
    return replace_values(table, table.spec.target, chosen, np.nan)


def lose_rows(table: CleanTable, level: int, rng: "Generator") -> pd.DataFrame:
    """Leave a tenth of the rows, more or less."""
    share = choose_level(level, (0.3, 0.15, 0.08))
    lost = draw_mask(table.select(), 1.0 - share, rng)
    return table.rows[~lost]


def stop_feed(table: CleanTable, _level: int, _rng: "Generator") -> pd.DataFrame:
    """Deliver no rows at all from the onset on."""
    return table.rows[~table.select()]


def replay_rows(table: CleanTable, level: int, _rng: "Generator") -> pd.DataFrame:
    """Deliver the last sound window again and again under new times."""
    spec, rows = table.spec, table.rows
    before = table.onset_time - spec.window
    times = rows[spec.timestamp]
    original = rows[(times >= before) & (times < table.onset_time)]
    lasting = int(choose_level(level, (1.0, 2.0, 6.0)))
    end = table.onset_time + lasting * spec.window
    repeated = [
        original.assign(**{spec.timestamp: original[spec.timestamp] + (index + 1) * spec.window})
        for index in range(lasting)
        if table.onset_time + (index + 1) * spec.window <= table.watched[-1].end
    ]
    rest = rows[~table.select() | (times >= end)]
    return pd.concat([rest, *repeated], ignore_index=True)


def duplicate_rows(table: CleanTable, level: int, rng: "Generator") -> pd.DataFrame:
    """Deliver a share of the rows twice, unchanged."""
    chosen = draw_mask(table.select(), choose_level(level, (0.3, 0.6, 1.0)), rng)
    return pd.concat([table.rows, table.rows[chosen]], ignore_index=True)


def break_days(table: CleanTable, level: int, _rng: "Generator") -> pd.DataFrame:
    """Break the important column on two days of one week: empty, at zero, or stuck."""
    times = table.rows[table.spec.timestamp]
    begin = table.onset_time + timedelta(days=2)
    chosen = (times >= begin) & (times < begin + timedelta(days=OUTAGE_DAYS))
    value = choose_level(level, (np.nan, _find_typical(table, 0.75), 0.0))
    return replace_values(table, table.source.important, chosen, value)


def change_unit_and_concept(table: CleanTable, level: int, rng: "Generator") -> pd.DataFrame:
    """Change the relation of all rows, and report an important column in another unit."""
    changed = table.with_rows(change_concept(table, level, rng))
    return _scale_important(changed, changed.select(), 2)


def ruin_reference_labels(table: CleanTable, level: int, rng: "Generator") -> pd.DataFrame:
    """Swap the targets that the first champion learns from."""
    times = table.rows[table.spec.timestamp]
    share = choose_level(level, (0.95, 0.98, 1.0))
    chosen = draw_mask(times < table.reference.end, share, rng)
    targets = rng.permutation(table.rows.loc[chosen, table.spec.target].to_numpy())
    return replace_values(table, table.spec.target, chosen, targets)


def _scale_important(table: CleanTable, chosen: "pd.Series[bool]", level: int) -> pd.DataFrame:
    factor = choose_level(level, (1.609344, 3.6, 100.0))  # miles, metres a second, whole units
    column = table.rows[table.source.important]
    return replace_values(table, str(column.name), chosen, column[chosen] * factor)


def _find_typical(table: CleanTable, quantile: float) -> float:
    return float(table.rows[table.source.important].quantile(quantile, interpolation="nearest"))
