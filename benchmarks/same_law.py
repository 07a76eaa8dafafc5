"""Counts what is told of pairs of tables that were drawn from the very same law.

`.venv/bin/python benchmarks/same_law.py`: as `trimtab compare` does it, from Parquet files; beside
a test per column at p < 0.05. Nothing should be told: whatever is, is chance. The laws are those in
which chance looks most like drift: rare flags, many categories, gaps, few
different rows, and tables of unequal length.
"""

import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final

sys.path.append(sys.path.pop(0))

import numpy as np
import pandas as pd
import typer
from rich.console import Console
from rich.progress import track
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from trimtab.comparison.compare_tables import CompareRequest, compare_tables
from trimtab.contracts.comparison import Comparison
from trimtab.detection.drift.quality_faults import warrants_event

Law = Callable[[np.random.Generator, int], pd.DataFrame]
_USUAL: Final = 0.05


def _plain(chance: np.random.Generator, rows: int) -> pd.DataFrame:
    numbers = {f"x{place}": chance.normal(size=rows) for place in range(14)}
    words = {f"c{place}": chance.choice(list("abcdefgh"), rows) for place in range(6)}
    return pd.DataFrame({**numbers, **words})


def _rare_flags(chance: np.random.Generator, rows: int) -> pd.DataFrame:
    shares = np.geomspace(0.001, 0.01, 10)
    return pd.DataFrame(
        {f"flag{place}": chance.random(rows) < share for place, share in enumerate(shares)}
    )


def _categories(count: int, *, steepness: float = 0.0) -> Law:
    weights = 1.0 / np.arange(1, count + 1) ** steepness
    shares = weights / weights.sum()

    def draw(chance: np.random.Generator, rows: int) -> pd.DataFrame:
        names = np.array([f"v{place}" for place in range(count)])
        return pd.DataFrame({"word": chance.choice(names, rows, p=shares)})

    return draw


def _gaps(chance: np.random.Generator, rows: int) -> pd.DataFrame:
    shares = np.linspace(0.02, 0.3, 20)
    return pd.DataFrame(
        {
            f"x{place}": np.where(chance.random(rows) < share, np.nan, chance.normal(size=rows))
            for place, share in enumerate(shares)
        }
    )


def _repeats(chance: np.random.Generator, rows: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "age": chance.integers(18, 90, rows),
            "hours": chance.integers(10, 60, rows),
            "job": chance.choice(list("abcdefghij"), rows),
            "sex": chance.choice(["f", "m"], rows),
        }
    )


LAWS: Final[Mapping[str, Law]] = {
    "20 plain columns": _plain,
    "10 flags of 0.1 to 1 %": _rare_flags,
    "60 equal categories": _categories(60),
    "300 equal categories": _categories(300),
    "1,000 equal categories": _categories(1000),
    "1,000 categories, Zipf's law": _categories(1000, steepness=1.0),
    "20 columns, 2 to 30 % missing": _gaps,
    "few different rows": _repeats,
}
SIZES: Final = ((500, 500), (1000, 1000), (10_000, 1000), (2000, 40_000))


def _pair(law: Law, sizes: tuple[int, int], seed: int, folder: Path) -> tuple[Comparison, bool]:
    """What is told of one pair, and whether a test at p < 0.05 of any column says drift."""
    chance = np.random.default_rng(seed)
    tables = [law(chance, rows) for rows in sizes]
    files = [folder / "reference.parquet", folder / "current.parquet"]
    for table, file in zip(tables, files, strict=True):
        table.to_parquet(file, index=False)
    found = compare_tables(CompareRequest(str(files[0]), str(files[1]))).comparison
    return found, any(_differs(*(table[name] for table in tables)) for name in tables[0])


def _differs(before: pd.Series, now: pd.Series) -> bool:
    if pd.api.types.is_float_dtype(before.dtype):
        return bool(stats.ks_2samp(before.dropna(), now.dropna()).pvalue < _USUAL)
    counts = pd.concat([before.value_counts(), now.value_counts()], axis=1).fillna(0)
    return len(counts) > 1 and bool(stats.chi2_contingency(counts.T).pvalue < _USUAL)


def _rate(number: int, of: int) -> str:
    low, high = proportion_confint(number, of, method="wilson")
    return f"{number} of {of} ({low:.0%} to {high:.0%})"


def _rows(pairs: int) -> Iterator[str]:
    yield "| law | rows | drift told | by columns | by faults | KS or chi-square, p < 0.05 |"
    yield "|---|---|---|---|---|---|"
    cases = [(name, sizes) for name in LAWS for sizes in SIZES]
    for name, sizes in track(cases, "same law", console=Console(stderr=True)):
        told: Counter[str] = Counter()
        with tempfile.TemporaryDirectory() as folder:
            for seed in range(pairs):
                found, raw = _pair(LAWS[name], sizes, seed, Path(folder))
                told["drift"] += found.drifted
                told["columns"] += any(each.drifted for each in found.features)
                told["faults"] += any(map(warrants_event, found.quality))
                told["raw"] += raw
        yield (
            f"| {name} | {sizes[0]:,} v {sizes[1]:,} | {_rate(told['drift'], pairs)}"
            f" | {told['columns']} | {told['faults']} | {_rate(told['raw'], pairs)} |"
        )


def main(
    pairs: Annotated[int, typer.Option(min=1, help="Pairs of tables of each law and size.")] = 40,
) -> None:
    """Print the table."""
    for line in _rows(pairs):
        typer.echo(line)


if __name__ == "__main__":
    typer.run(main)
