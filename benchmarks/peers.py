"""Verdicts of other tools on the same windows: a test per column, and Evidently's preset."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from compared_tools import COMPARED_TOOLS, SCRIPTS, prepare_environment
from scipy import stats

RAW_TEST_ALPHA: Final = 0.05
"""Usual level of a single test, without correction for the number of columns."""
_EVIDENTLY: Final = next(each for each in COMPARED_TOOLS if each.name == "Evidently")


class PeerVerdict(NamedTuple):
    """Verdict of another tool on one window."""

    any_column: bool
    """Whether a column has drifted."""
    dataset: bool
    """Whether the dataset has drifted: for raw tests any column, for Evidently half of them."""


def judge_with_raw_tests(reference: pd.DataFrame, current: pd.DataFrame) -> PeerVerdict:
    """Test numbers by KS and categories by chi-square, each at p < 0.05, uncorrected."""
    drifted = any(
        _compute_p_value(reference[name], current[name]) < RAW_TEST_ALPHA for name in reference
    )
    return PeerVerdict(drifted, drifted)


def judge_with_evidently(
    reference: pd.DataFrame, windows: Sequence[pd.DataFrame], cache: Path
) -> list[PeerVerdict]:
    """Run `DataDriftPreset` with its defaults, in Evidently's own environment."""
    python = prepare_environment(_EVIDENTLY, cache)
    with TemporaryDirectory(prefix="trimtab-benchmark-") as folder:
        for number, table in enumerate([reference, *windows]):
            table.to_parquet(Path(folder) / f"{number}.parquet")
        command = [str(python), "-W", "ignore", str(SCRIPTS / "evidently_verdicts.py"), folder]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    return [PeerVerdict(*each) for each in json.loads(done.stdout.splitlines()[-1])]


def prepare_evidently(cache: Path) -> None:
    """Make Evidently's environment before parallel processes need it."""
    prepare_environment(_EVIDENTLY, cache)


def _compute_p_value(reference: "pd.Series[Any]", current: "pd.Series[Any]") -> float:
    if pd.api.types.is_numeric_dtype(reference.dtype):
        return float(stats.ks_2samp(reference.dropna(), current.dropna()).pvalue)
    names = sorted({*reference.dropna(), *current.dropna()})
    counts = [side.value_counts().reindex(names).fillna(0) for side in (reference, current)]
    return float(stats.chi2_contingency(np.array(counts)).pvalue)
