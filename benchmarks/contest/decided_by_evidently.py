"""Evidently's preset for data drift with its defaults: is any column, is the whole, drifted?

`SCRIPT FOLDER` compares 1.parquet, 2.parquet, … with 0.parquet and prints one pair each, as JSON.
"""

import json
import os
import sys
from pathlib import Path

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset

HALF = 0.5
"""Its own default `drift_share`."""


def main(folder: Path) -> None:
    """One report a window."""
    tables = sorted(folder.glob("*.parquet"), key=lambda path: int(path.stem))
    reference, *windows = [pd.read_parquet(path) for path in tables]
    numeric = [c for c in reference if pd.api.types.is_numeric_dtype(reference[c].dtype)]
    others = [c for c in reference if c not in set(numeric)]
    columns = DataDefinition(numerical_columns=numeric, categorical_columns=others)
    before = Dataset.from_pandas(reference, data_definition=columns)
    found = []
    for window in windows:
        now = Dataset.from_pandas(window, data_definition=columns)
        report = Report([DataDriftPreset()]).run(current_data=now, reference_data=before).dict()
        share = report["metrics"][0]["value"]["share"]
        found.append([share > 0, share >= HALF])
    print(json.dumps(found))
    sys.stdout.flush()
    os._exit(0)  # what a library leaves running is not part of the work


if __name__ == "__main__":
    main(Path(sys.argv[1]))
