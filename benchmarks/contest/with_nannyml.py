"""NannyML's univariate drift with its defaults, each table one chunk."""

from pathlib import Path

import nannyml
import pandas as pd
from timed import timed

METHODS: dict[str, list[str]] = {}


def work(reference: Path, current: Path) -> object:
    """One calculator fitted on the reference, and its answer as a table."""
    before, now = pd.read_parquet(reference), pd.read_parquet(current)
    calculator = nannyml.UnivariateDriftCalculator(
        column_names=list(before.columns), chunk_number=1, **METHODS
    )
    return calculator.fit(before).calculate(now).to_df()


if __name__ == "__main__":
    timed(work)
