"""Evidently's preset for data drift with Kolmogorov-Smirnov and chi-square tests."""

from pathlib import Path

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset
from timing import time_work


def compare_files(reference: Path, current: Path) -> object:
    """Compute one report on all columns, as a dictionary."""
    sides = []
    for path in (reference, current):
        table = pd.read_parquet(path)
        numeric = [c for c in table if pd.api.types.is_numeric_dtype(table[c].dtype)]
        others = [c for c in table if c not in set(numeric)]
        columns = DataDefinition(numerical_columns=numeric, categorical_columns=others)
        sides.append(Dataset.from_pandas(table, data_definition=columns))
    preset = DataDriftPreset(num_method="ks", cat_method="chisquare")
    return Report([preset]).run(current_data=sides[1], reference_data=sides[0]).dict()


if __name__ == "__main__":
    time_work(compare_files)
