"""Measures the errors of effect sizes computed from profiles, over 1,000 random pairs of samples.

    .venv/bin/python benchmarks/accuracy.py [--pairs 1000] [--seed 0]

The exact values are PSI and the Jensen-Shannon distance over the deciles of all rows of the
reference, by NumPy; the Wasserstein distance in standard deviations of the reference and
Kolmogorov's distance, by SciPy. Half of the references have 20,000 rows and bins from all rows. The
other half have 300,000 rows and bins from a sample of 100,000, as in `trimtab compare`.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from trimtab.contracts.drift import FeatureKind
from trimtab.detection.drift.effect_sizes import (
    compute_effect_sizes,
    compute_jensen_shannon,
    compute_psi,
)
from trimtab.detection.drift.wasserstein import compute_kolmogorov_distance
from trimtab.detection.profiles.binning import choose_edges
from trimtab.detection.profiles.columns import Column
from trimtab.detection.profiles.group_counts import profile_numbers
from trimtab.detection.profiles.sampled_deciles import find_decile_bins, replace_sampled_deciles
from trimtab.detection.profiles.window_profile import ColumnProfile
from trimtab.detection.tables.row_sampling import SAMPLE_ROWS, TEMPORARY_EDGES_PER_DECILE

Numbers = npt.NDArray[np.float64]
Draw = Callable[[np.random.Generator, int], Numbers]

MAX_ERROR: Final = 0.01
"""Largest error that is accepted."""
SMALL_REFERENCE_ROWS: Final = 20_000
"""Rows of a reference whose bins come from all rows."""
COLUMN: Final = Column(name="value", kind=FeatureKind.NUMERIC)
MEASURES: Final = ("psi", "jensen_shannon", "wasserstein", "kolmogorov", "psi_relative")


class SamplePair(NamedTuple):
    """A reference and a current sample, with the distribution and the change behind them."""

    family: str
    change: str
    reference: Numbers
    current: Numbers


FAMILIES: Final[Mapping[str, Draw]] = {
    "normal": lambda r, n: r.normal(r.uniform(-9, 9), r.uniform(0.1, 9), n),
    "lognormal": lambda r, n: r.lognormal(0.0, r.uniform(0.2, 1.5), n),
    "exponential": lambda r, n: r.exponential(r.uniform(0.1, 100), n),
    "uniform": lambda r, n: r.uniform(-1, 1, n) * r.uniform(0.1, 1e9),
    "integers": lambda r, n: r.integers(0, r.integers(2, 5000), n).astype("float64"),
    "poisson": lambda r, n: r.poisson(r.uniform(0.1, 400), n).astype("float64"),
    "mixture": lambda r, n: np.where(
        r.random(n) < r.uniform(0.1, 0.9), r.normal(0, 1, n), r.normal(r.uniform(2, 30), 2, n)
    ),
    "atoms": lambda r, n: np.where(
        r.random(n) < r.uniform(0.05, 0.9), float(r.integers(-2, 3)), r.normal(0, 1, n)
    ),
    "heavy tails": lambda r, n: r.standard_t(r.uniform(2.1, 5), n),
    "billions": lambda r, n: r.normal(4e9, r.uniform(1, 1e6), n),
}
CHANGES: Final = ("none", "shift", "scale", "shift and scale", "another family", "partly moved")


def main() -> None:
    """Measure the errors and print them."""
    parser = argparse.ArgumentParser(description="Measure errors of effect sizes from profiles.")
    parser.add_argument("--pairs", type=int, default=1000, help="number of random pairs")
    parser.add_argument("--seed", type=int, default=0, help="seed of every random draw")
    options = parser.parse_args()
    random = np.random.default_rng(options.seed)
    errors: dict[bool, list[Mapping[str, float]]] = {False: [], True: []}
    worst: dict[str, tuple[float, str]] = {}
    for number in range(options.pairs):
        sampled = number % 2 == 1
        pair = draw_pair(random, 3 * SAMPLE_ROWS if sampled else SMALL_REFERENCE_ROWS)
        found = compute_errors(pair, random)
        errors[sampled].append(found)
        for name, error in found.items():
            where = f"{pair.family}, {pair.change}{', sampled' if sampled else ''}"
            worst[name] = max(worst.get(name, (0.0, "")), (error, where))
    print_errors(errors, worst)


def draw_pair(random: np.random.Generator, rows: int) -> SamplePair:
    """Draw a reference of this many rows and a changed current sample."""
    family = str(random.choice(list(FAMILIES)))
    change = str(random.choice(CHANGES))
    both = FAMILIES[family](random, 2 * rows)
    reference, later = both[:rows], both[rows:]
    spread = float(reference.std()) or 1.0
    size = random.uniform(-1.5, 1.5)
    if change in ("shift", "shift and scale"):
        later = later + (
            np.round(size * spread) if family in ("integers", "poisson") else size * spread
        )
    if change in ("scale", "shift and scale"):
        later = later * random.uniform(0.5, 2.0)
    if change == "another family":
        other = FAMILIES[str(random.choice(list(FAMILIES)))](random, rows)
        later = reference.mean() + spread * (other - other.mean()) / (other.std() or 1.0)
    if change == "partly moved":
        later = np.where(random.random(rows) < random.uniform(0, 0.5), later + 3 * spread, later)
    return SamplePair(family, change, reference, later[: random.integers(1_000, len(later))])


def compute_errors(pair: SamplePair, random: np.random.Generator) -> dict[str, float]:
    """Return the absolute error of each measure."""
    before, now = profile_pair(pair, random)
    effects = compute_effect_sizes(before, now)
    found = (
        effects.psi,
        effects.jensen_shannon,
        effects.wasserstein or 0.0,
        compute_kolmogorov_distance(before, now),
    )
    truth = compute_exact_effects(pair)
    errors = {name: abs(a - b) for name, a, b in zip(MEASURES, found, truth, strict=False)}
    return {**errors, "psi_relative": errors["psi"] / max(1.0, truth[0])}


def profile_pair(
    pair: SamplePair, random: np.random.Generator
) -> tuple[ColumnProfile, ColumnProfile]:
    """Return both profiles over bins of the reference, or of a sample of it if it is large."""
    bins = choose_edges(pair.reference)
    if len(pair.reference) > SAMPLE_ROWS:
        bins = choose_edges(
            random.choice(pair.reference, SAMPLE_ROWS, replace=False),
            temporary=TEMPORARY_EDGES_PER_DECILE,
        )
    like = ColumnProfile(column=COLUMN, rows=0, nulls=0, edges=bins.edges, cuts=bins.cuts)
    before = profile_numbers(pair.reference, COLUMN, rows=len(pair.reference), like=like)
    ends = find_decile_bins(bins, before.counts)
    near = [pair.reference[(pair.reference > a) & (pair.reference <= b)] for a, b in ends]
    bins, counts = replace_sampled_deciles(
        bins, before.counts, np.concatenate([*near, []]).tolist()
    )
    found = {"edges": bins.edges, "cuts": bins.cuts, "counts": counts}
    before = before.model_copy(update=found)
    return before, profile_numbers(pair.current, COLUMN, rows=len(pair.current), like=before)


def compute_exact_effects(pair: SamplePair) -> tuple[float, ...]:
    """Return the four measures on the rows."""
    fractions = np.linspace(0, 1, 11)[1:-1]
    deciles = np.unique(np.quantile(pair.reference, fractions, method="lower"))
    before, now = (
        np.bincount(np.searchsorted(deciles, rows, side="left"), minlength=len(deciles) + 1)
        / len(rows)
        for rows in (pair.reference, pair.current)
    )
    distance = stats.wasserstein_distance(pair.reference, pair.current)
    return (
        compute_psi(before, now),
        compute_jensen_shannon(before, now),
        float(distance / pair.reference.std()),
        float(stats.ks_2samp(pair.reference, pair.current, method="asymp").statistic),
    )


def print_errors(
    errors: Mapping[bool, list[Mapping[str, float]]], worst: Mapping[str, tuple[float, str]]
) -> None:
    """Print the table."""
    print(f"{'measure':16} {'bins':10} {'pairs':>6} {'median':>9} {'99th pct':>9} {'largest':>9}")
    for name in MEASURES:
        for sampled, found in errors.items():
            values = np.array([each[name] for each in found])
            print(
                f"{name:16} {'sampled' if sampled else 'exact':10} {len(values):6}"
                f" {np.median(values):9.5f} {np.quantile(values, 0.99):9.5f} {values.max():9.5f}"
            )
        error, where = worst[name]
        print(f"{'':16} worst: {error:.5f} ({where}); accepted up to {MAX_ERROR}")


if __name__ == "__main__":
    main()
