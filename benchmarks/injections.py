"""Drift of a stated size, put into windows of the census that have none."""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

Inject = Callable[[pd.DataFrame, pd.DataFrame, np.random.Generator], pd.DataFrame]
"""Rows of a window and a pool of rows like them, to rows that drifted."""


class Injection(NamedTuple):
    """One kind of drift in one size."""

    kind: str
    size: str
    apply: Inject


def shift(deviations: float) -> Injection:
    """Age moves by so many of its standard deviations."""

    def apply(rows: pd.DataFrame, pool: pd.DataFrame, _: np.random.Generator) -> pd.DataFrame:
        return rows.assign(AGEP=rows["AGEP"] + deviations * pool["AGEP"].std())

    return Injection("shift of age", f"{deviations:g} sd", apply)


def scale(factor: float) -> Injection:
    """Age is stretched about its mean."""

    def apply(rows: pd.DataFrame, pool: pd.DataFrame, _: np.random.Generator) -> pd.DataFrame:
        mean = pool["AGEP"].mean()
        return rows.assign(AGEP=mean + factor * (rows["AGEP"] - mean))

    return Injection("scale of age", f"x {factor:g}", apply)


def swap(share: float) -> Injection:
    """The most and the sixth most frequent schooling change places in a share of the rows."""

    def apply(rows: pd.DataFrame, pool: pd.DataFrame, chance: np.random.Generator) -> pd.DataFrame:
        one, *_, other = pool["SCHL"].value_counts().index[:6]
        swapped = rows["SCHL"].replace({one: other, other: one})
        return rows.assign(SCHL=rows["SCHL"].where(chance.random(len(rows)) >= share, swapped))

    return Injection("category swap", f"{share:.0%} of rows", apply)


def nulls(share: float) -> Injection:
    """Age goes missing."""

    def apply(rows: pd.DataFrame, _: pd.DataFrame, chance: np.random.Generator) -> pd.DataFrame:
        return rows.assign(AGEP=rows["AGEP"].where(chance.random(len(rows)) >= share))

    return Injection("null spike", f"{share:.0%} of rows", apply)


def unit(factor: float, name: str) -> Injection:
    """Age comes in another unit."""

    def apply(rows: pd.DataFrame, _: pd.DataFrame, __: np.random.Generator) -> pd.DataFrame:
        return rows.assign(AGEP=rows["AGEP"] * factor)

    return Injection("unit change", name, apply)


def label_shift(points: float) -> Injection:
    """So many percentage points more rows are of the positive class, each as it was."""

    def apply(rows: pd.DataFrame, pool: pd.DataFrame, chance: np.random.Generator) -> pd.DataFrame:
        positive = (pool["employed"] == "1").to_numpy()
        wanted = round((positive.mean() + points / 100) * len(rows))
        places = [
            chance.choice(np.flatnonzero(side), count, replace=False)
            for side, count in ((positive, wanted), (~positive, len(rows) - wanted))
        ]
        drawn = pool.iloc[chance.permutation(np.concatenate(places))].reset_index(drop=True)
        return drawn.assign(at=rows["at"].to_numpy())

    return Injection("label shift", f"+{points:g} points", apply)


def flip(share: float) -> Injection:
    """Labels turn into their opposite: the concept itself changes."""

    def apply(rows: pd.DataFrame, _: pd.DataFrame, chance: np.random.Generator) -> pd.DataFrame:
        turned = rows["employed"].map({"0": "1", "1": "0"})
        chosen = chance.random(len(rows)) < share
        return rows.assign(employed=rows["employed"].where(~chosen, turned))

    return Injection("concept flip", f"{share:.0%} of labels", apply)


INJECTIONS: Final = (
    *map(shift, (0.1, 0.25, 0.5)),
    *map(scale, (1.1, 1.25, 1.5)),
    *map(swap, (0.2, 0.5, 1.0)),
    *map(nulls, (0.02, 0.05, 0.2)),
    unit(12.0, "years to months"),
    unit(365.25, "years to days"),
    *map(label_shift, (5.0, 10.0, 20.0)),
    *map(flip, (0.02, 0.05, 0.1)),
)
