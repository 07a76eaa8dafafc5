"""Small files and models that stand in for a user's own, under the names that documents use."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd

from tests.architecture.sources import ROOT

_REPORTS = ROOT / "tests" / "fixtures"
_REGISTER = """
import mlflow, pandas as pd
from mlflow.models import infer_signature
from sklearn.linear_model import LinearRegression

table = pd.read_parquet("rents.parquet").head(500)
inputs = table[["size", "rooms"]]
model = LinearRegression().fit(inputs, table["rent"])
with mlflow.start_run():
    logged = mlflow.sklearn.log_model(
        model, name="model", registered_model_name="rents",
        signature=infer_signature(inputs, model.predict(inputs)),
        pip_requirements=["scikit-learn"],
    )
mlflow.MlflowClient().set_registered_model_alias(
    "rents", "champion", str(logged.registered_model_version)
)
"""


_RUNBOOK = """---
id: tills-offline
kind: runbook
title: Tills of a shop are offline
cause: partial_outage
action: fix_source
severity: high
tags: [tills]
---
The tills of one shop send nothing, because their router lost its power.

## References

- Shop team 2026, "Post-mortem of the router"
"""


def write_files(folder: Path) -> None:
    """Write every table, report and runbook that the documents name."""
    history = _sales("2026-09-28", "2026-11-16", a_day=220, seed=1)
    history.to_parquet(folder / "history.parquet")
    _rents().to_parquet(folder / "rents.parquet")
    history.head(2000).to_parquet(folder / "reference.parquet")
    history.tail(2000).assign(size=lambda table: table["size"] + 40).to_parquet(
        folder / "current.parquet"
    )
    shutil.copy(_REPORTS / "evidently.json", folder / "report.json")
    shutil.copy(_REPORTS / "nannyml.csv", folder / "drift.csv")
    (folder / "events.json").write_text(_documented_event())
    (folder / "tills-offline.md").write_text(_RUNBOOK)


def _documented_event() -> str:
    """The event that docs/events.md publishes by hand."""
    text = (ROOT / "docs" / "events.md").read_text()
    found = re.search(r"```json\n(\{.*?^\})\n```", text, flags=re.MULTILINE | re.DOTALL)
    assert found, "docs/events.md shows no event any more"
    return found[1]


def register_model(folder: Path, tracking_uri: str) -> None:
    """Register the model `rents` as somebody else's pipeline would, in a process of its own."""
    subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _REGISTER],
        cwd=folder, env={**os.environ, "MLFLOW_TRACKING_URI": tracking_uri}, check=True,
        capture_output=True, timeout=120,
    )  # fmt: skip


def _sales(start: str, end: str, *, a_day: int, seed: int) -> pd.DataFrame:
    """Flats that were sold from 6 to 18 o'clock; from 2 November prices fall with the size."""
    random = np.random.default_rng(seed)
    days = pd.date_range(start, end, inclusive="left", tz="UTC")
    hours = pd.to_timedelta(6 + 12 * np.arange(a_day) / a_day, unit="h")
    at = days.repeat(a_day) + np.tile(hours, len(days))
    size, rooms = random.uniform(20, 200, len(at)), random.integers(1, 7, len(at))
    price = np.where(at < pd.Timestamp("2026-11-02", tz="UTC"), size * 3, 700 - size * 2)
    noise = random.normal(0, 5, len(at))
    district = random.choice(["north", "south", "east"], len(at))
    return pd.DataFrame({
        "sold_at": at, "size": size, "rooms": rooms, "district": district,
        "price": price + rooms * 20 + noise,
    })  # fmt: skip


def _rents() -> pd.DataFrame:
    """Flats that were let, with what the model predicted at the time."""
    table = _sales("2026-05-04", "2026-10-05", a_day=40, seed=2).rename(
        columns={"sold_at": "let_at", "price": "rent"}
    )
    return table.drop(columns="district").assign(prediction=table["rent"] + 1.0)
