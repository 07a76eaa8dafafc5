"""A loop over the columns with scipy's tests, as many write it: the least that pandas can do."""

from pathlib import Path

import pandas as pd
from scipy import stats
from timed import timed


def work(reference: Path, current: Path) -> object:
    """A Kolmogorov-Smirnov or chi-square test for each column."""
    before, now = pd.read_parquet(reference), pd.read_parquet(current)
    found = {}
    for name in before.columns:
        if pd.api.types.is_numeric_dtype(before[name].dtype):
            found[name] = stats.ks_2samp(before[name].dropna(), now[name].dropna()).pvalue
        else:
            counts = [before[name].value_counts(), now[name].value_counts()]
            table = pd.concat(counts, axis=1).fillna(0).to_numpy().T
            found[name] = stats.chi2_contingency(table).pvalue
    return found


if __name__ == "__main__":
    timed(work)
