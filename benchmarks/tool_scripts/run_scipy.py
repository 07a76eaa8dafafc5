"""A loop over the columns with scipy's tests, as many people write it."""

from pathlib import Path

import pandas as pd
from scipy import stats
from timing import time_work


def compare_files(reference: Path, current: Path) -> object:
    """Run a Kolmogorov-Smirnov or chi-square test for each column."""
    before, now = pd.read_parquet(reference), pd.read_parquet(current)
    p_values = {}
    for name in before.columns:
        if pd.api.types.is_numeric_dtype(before[name].dtype):
            p_values[name] = stats.ks_2samp(before[name].dropna(), now[name].dropna()).pvalue
        else:
            counts = [before[name].value_counts(), now[name].value_counts()]
            table = pd.concat(counts, axis=1).fillna(0).to_numpy().T
            p_values[name] = stats.chi2_contingency(table).pvalue
    return p_values


if __name__ == "__main__":
    time_work(compare_files)
