"""Counts the drift reported between pairs of tables from the same distribution.

`.venv/bin/python benchmarks/same_distribution.py` compares Parquet files as `trimtab compare` does,
beside a test per column at p < 0.05. Every reported drift is a false alarm. The distributions are
those in which chance looks most like drift: rare flags, many categories, missing values, few
distinct rows, and tables of unequal length.
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
from peers import RAW_TEST_ALPHA
from rich.console import Console
from rich.progress import track
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from trimtab.comparison.compare_tables import CompareRequest, compare_tables
from trimtab.contracts.comparison import Comparison
from trimtab.detection.drift.quality_faults import warrants_event

Distribution = Callable[[np.random.Generator, int], pd.DataFrame]
"""Draws a table of this many rows."""


def _draw_plain(random: np.random.Generator, rows: int) -> pd.DataFrame:
    numbers = {f"x{number}": random.normal(size=rows) for number in range(14)}
    words = {f"c{number}": random.choice(list("abcdefgh"), rows) for number in range(6)}
    return pd.DataFrame({**numbers, **words})


def _draw_rare_flags(random: np.random.Generator, rows: int) -> pd.DataFrame:
    shares = np.geomspace(0.001, 0.01, 10)
    return pd.DataFrame(
        {f"flag{number}": random.random(rows) < share for number, share in enumerate(shares)}
    )


def _build_categories(count: int, *, steepness: float = 0.0) -> Distribution:
    """Return categories whose share falls with their rank to the power of `steepness`."""
    weights = 1.0 / np.arange(1, count + 1) ** steepness
    shares = weights / weights.sum()

    def draw(random: np.random.Generator, rows: int) -> pd.DataFrame:
        names = np.array([f"v{number}" for number in range(count)])
        return pd.DataFrame({"word": random.choice(names, rows, p=shares)})

    return draw


def _draw_missing_values(random: np.random.Generator, rows: int) -> pd.DataFrame:
    shares = np.linspace(0.02, 0.3, 20)
    return pd.DataFrame(
        {
            f"x{number}": np.where(random.random(rows) < share, np.nan, random.normal(size=rows))
            for number, share in enumerate(shares)
        }
    )


def _draw_repeated_rows(random: np.random.Generator, rows: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "age": random.integers(18, 90, rows),
            "hours": random.integers(10, 60, rows),
            "job": random.choice(list("abcdefghij"), rows),
            "sex": random.choice(["f", "m"], rows),
        }
    )


DISTRIBUTIONS: Final[Mapping[str, Distribution]] = {
    "20 plain columns": _draw_plain,
    "10 flags of 0.1 to 1 %": _draw_rare_flags,
    "60 equal categories": _build_categories(60),
    "300 equal categories": _build_categories(300),
    "1,000 equal categories": _build_categories(1000),
    "1,000 categories, Zipf's law": _build_categories(1000, steepness=1.0),
    "20 columns, 2 to 30 % missing": _draw_missing_values,
    "few distinct rows": _draw_repeated_rows,
}
SIZES: Final = ((500, 500), (1000, 1000), (10_000, 1000), (2000, 40_000))
"""Rows of the reference and of the current table."""


def _compare_pair(
    draw: Distribution, sizes: tuple[int, int], seed: int, folder: Path
) -> tuple[Comparison, bool]:
    """Compare one pair; say also whether a test at p < 0.05 of any column reports drift."""
    random = np.random.default_rng(seed)
    tables = [draw(random, rows) for rows in sizes]
    files = [folder / "reference.parquet", folder / "current.parquet"]
    for table, file in zip(tables, files, strict=True):
        table.to_parquet(file, index=False)
    found = compare_tables(CompareRequest(str(files[0]), str(files[1]))).comparison
    return found, any(_is_rejected(*(table[name] for table in tables)) for name in tables[0])


def _is_rejected(before: pd.Series, now: pd.Series) -> bool:
    """Return whether KS or chi-square rejects the same distribution at the usual level."""
    if pd.api.types.is_float_dtype(before.dtype):
        return bool(stats.ks_2samp(before.dropna(), now.dropna()).pvalue < RAW_TEST_ALPHA)
    counts = pd.concat([before.value_counts(), now.value_counts()], axis=1).fillna(0)
    return len(counts) > 1 and bool(stats.chi2_contingency(counts.T).pvalue < RAW_TEST_ALPHA)


def _format_rate(number: int, total: int) -> str:
    low, high = proportion_confint(number, total, method="wilson")
    return f"{number} of {total} ({low:.0%} to {high:.0%})"


def _format_table(pairs: int) -> Iterator[str]:
    yield (
        "| distribution | rows | drift reported | by columns | by faults"
        " | KS or chi-square, p < 0.05 |"
    )
    yield "|---|---|---|---|---|---|"
    cases = [(name, sizes) for name in DISTRIBUTIONS for sizes in SIZES]
    for name, sizes in track(cases, "same distribution", console=Console(stderr=True)):
        counts: Counter[str] = Counter()
        with tempfile.TemporaryDirectory() as folder:
            for seed in range(pairs):
                found, raw = _compare_pair(DISTRIBUTIONS[name], sizes, seed, Path(folder))
                counts["drift"] += found.drifted
                counts["columns"] += any(each.drifted for each in found.features)
                counts["faults"] += any(map(warrants_event, found.quality))
                counts["raw"] += raw
        yield (
            f"| {name} | {sizes[0]:,} v {sizes[1]:,} | {_format_rate(counts['drift'], pairs)}"
            f" | {counts['columns']} | {counts['faults']} | {_format_rate(counts['raw'], pairs)} |"
        )


def main(
    pairs: Annotated[
        int, typer.Option(min=1, help="Pairs of tables of each distribution and size.")
    ] = 40,
) -> None:
    """Print the table."""
    for line in _format_table(pairs):
        typer.echo(line)


if __name__ == "__main__":
    typer.run(main)
