"""Evidently's preset for data drift with its defaults: has any column drifted, has the dataset?

`SCRIPT FOLDER` compares 1.parquet, 2.parquet, … with 0.parquet and prints one pair for each, as
JSON.
"""

import json
import os
import sys
from pathlib import Path

import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset

DRIFT_SHARE = 0.5
"""Evidently's default `drift_share`: share of drifted columns from which the dataset drifted."""


def main(folder: Path) -> None:
    """Print the verdicts on all windows, from one report per window."""
    tables = sorted(folder.glob("*.parquet"), key=lambda path: int(path.stem))
    reference, *windows = [pd.read_parquet(path) for path in tables]
    numeric = [c for c in reference if pd.api.types.is_numeric_dtype(reference[c].dtype)]
    others = [c for c in reference if c not in set(numeric)]
    columns = DataDefinition(numerical_columns=numeric, categorical_columns=others)
    before = Dataset.from_pandas(reference, data_definition=columns)
    verdicts = []
    for window in windows:
        now = Dataset.from_pandas(window, data_definition=columns)
        report = Report([DataDriftPreset()]).run(current_data=now, reference_data=before).dict()
        share = report["metrics"][0]["value"]["share"]
        verdicts.append([share > 0, share >= DRIFT_SHARE])
    print(json.dumps(verdicts))
    sys.stdout.flush()
    os._exit(0)  # threads that a library leaves running are not part of the work


if __name__ == "__main__":
    main(Path(sys.argv[1]))
