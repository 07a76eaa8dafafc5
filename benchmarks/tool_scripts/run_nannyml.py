"""NannyML's univariate drift with its defaults, each table one chunk."""

from pathlib import Path

import nannyml
import pandas as pd
from timing import time_work


def compare_files(reference: Path, current: Path) -> object:
    """Fit one calculator on the reference, and return its result as a table."""
    before, now = pd.read_parquet(reference), pd.read_parquet(current)
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=list(before.columns), chunk_number=1
    )
    return calculator.fit(before).calculate(now).to_df()


if __name__ == "__main__":
    time_work(compare_files)
