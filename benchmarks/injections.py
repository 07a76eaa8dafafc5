"""Drift of a stated size, injected into windows of the census that have none."""

from collections.abc import Callable
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

Inject = Callable[[pd.DataFrame, pd.DataFrame, np.random.Generator], pd.DataFrame]
"""From the rows of a window and a pool of rows without drift to rows that have drifted."""


class Injection(NamedTuple):
    """One kind of drift in one size."""

    kind: str
    size: str
    apply: Inject


def build_shift(deviations: float) -> Injection:
    """Return a shift of the age by this many standard deviations."""

    def apply(rows: pd.DataFrame, pool: pd.DataFrame, _: np.random.Generator) -> pd.DataFrame:
        return rows.assign(AGEP=rows["AGEP"] + deviations * pool["AGEP"].std())

    return Injection("shift of age", f"{deviations:g} sd", apply)


def build_scaling(factor: float) -> Injection:
    """Return a scaling of the age about its mean."""

    def apply(rows: pd.DataFrame, pool: pd.DataFrame, _: np.random.Generator) -> pd.DataFrame:
        mean = pool["AGEP"].mean()
        return rows.assign(AGEP=mean + factor * (rows["AGEP"] - mean))

    return Injection("scale of age", f"x {factor:g}", apply)


def build_category_swap(share: float) -> Injection:
    """Return a swap of the most and the sixth most frequent schooling in a share of the rows."""

    def apply(rows: pd.DataFrame, pool: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
        one, *_, other = pool["SCHL"].value_counts().index[:6]
        swapped = rows["SCHL"].replace({one: other, other: one})
        return rows.assign(SCHL=rows["SCHL"].where(random.random(len(rows)) >= share, swapped))

    return Injection("category swap", f"{share:.0%} of rows", apply)


def build_null_spike(share: float) -> Injection:
    """Return missing ages in a share of the rows."""

    def apply(rows: pd.DataFrame, _: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
        return rows.assign(AGEP=rows["AGEP"].where(random.random(len(rows)) >= share))

    return Injection("null spike", f"{share:.0%} of rows", apply)


def build_unit_change(factor: float, name: str) -> Injection:
    """Return a change of the age's unit."""

    def apply(rows: pd.DataFrame, _: pd.DataFrame, __: np.random.Generator) -> pd.DataFrame:
        return rows.assign(AGEP=rows["AGEP"] * factor)

    return Injection("unit change", name, apply)


def build_label_shift(points: float) -> Injection:
    """Return a rise of the positive class by percentage points; rows within a class stay alike."""

    def apply(rows: pd.DataFrame, pool: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
        positive = (pool["employed"] == "1").to_numpy()
        wanted = round((positive.mean() + points / 100) * len(rows))
        indices = [
            random.choice(np.flatnonzero(side), count, replace=False)
            for side, count in ((positive, wanted), (~positive, len(rows) - wanted))
        ]
        drawn = pool.iloc[random.permutation(np.concatenate(indices))].reset_index(drop=True)
        return drawn.assign(at=rows["at"].to_numpy())

    return Injection("label shift", f"+{points:g} points", apply)


def build_label_flip(share: float) -> Injection:
    """Return labels that turn into their opposite in a share of the rows: concept drift."""

    def apply(rows: pd.DataFrame, _: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
        flipped = rows["employed"].map({"0": "1", "1": "0"})
        chosen = random.random(len(rows)) < share
        return rows.assign(employed=rows["employed"].where(~chosen, flipped))

    return Injection("concept flip", f"{share:.0%} of labels", apply)


INJECTIONS: Final = (
    *map(build_shift, (0.1, 0.25, 0.5)),
    *map(build_scaling, (1.1, 1.25, 1.5)),
    *map(build_category_swap, (0.2, 0.5, 1.0)),
    *map(build_null_spike, (0.02, 0.05, 0.2)),
    build_unit_change(12.0, "years to months"),
    build_unit_change(365.25, "years to days"),
    *map(build_label_shift, (5.0, 10.0, 20.0)),
    *map(build_label_flip, (0.02, 0.05, 0.1)),
)
