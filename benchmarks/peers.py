"""What others make of the same windows: a test per column, and Evidently's preset by itself."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from contestants import CONTESTANTS, SCRIPTS, prepared
from scipy import stats

LEVEL: Final = 0.05
_EVIDENTLY: Final = next(each for each in CONTESTANTS if each.name == "Evidently")


class Verdict(NamedTuple):
    """What a peer says of a window."""

    any_column: bool
    """Whether it calls a column drifted."""
    dataset: bool
    """Whether it calls the whole drifted: for the tests the same, for Evidently half of them."""


def raw_tests(reference: pd.DataFrame, current: pd.DataFrame) -> Verdict:
    """KS on numbers, chi-square on categories, each at p < 0.05, uncorrected."""
    found = any(_p_value(reference[name], current[name]) < LEVEL for name in reference)
    return Verdict(found, found)


def evidently(
    reference: pd.DataFrame, windows: Sequence[pd.DataFrame], cache: Path
) -> list[Verdict]:
    """Its `DataDriftPreset` with its defaults, run by the library in an environment of its own."""
    python = prepared(_EVIDENTLY, cache)
    with TemporaryDirectory(prefix="trimtab-benchmark-") as folder:
        for number, table in enumerate([reference, *windows]):
            table.to_parquet(Path(folder) / f"{number}.parquet")
        command = [str(python), "-W", "ignore", str(SCRIPTS / "decided_by_evidently.py"), folder]
        said = subprocess.run(command, check=True, capture_output=True, text=True)  # noqa: S603 - ours
    return [Verdict(*each) for each in json.loads(said.stdout.splitlines()[-1])]


def ready(cache: Path) -> None:
    """Make Evidently's environment, so that processes side by side find it."""
    prepared(_EVIDENTLY, cache)


def _p_value(reference: "pd.Series[Any]", current: "pd.Series[Any]") -> float:
    if pd.api.types.is_numeric_dtype(reference.dtype):
        return float(stats.ks_2samp(reference.dropna(), current.dropna()).pvalue)
    names = sorted({*reference.dropna(), *current.dropna()})
    counts = [side.value_counts().reindex(names).fillna(0) for side in (reference, current)]
    return float(stats.chi2_contingency(np.array(counts)).pvalue)
