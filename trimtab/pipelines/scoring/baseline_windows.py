"""What the metric usually is in a window as short as these, at that time of day.

Held out at training time is a day or a week; the metric of an hour differs from that of the whole
for reasons of its own: R2 is lower where the target varies less. Windows shorter than a week are
therefore held to the windows that the held-out rows make, those at the same time of day.
"""

import math
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np
import pandas as pd
from pydantic import Field, JsonValue

from trimtab.contracts.base import Record
from trimtab.contracts.drift import PerformanceChange
from trimtab.contracts.fitted import BASELINE_WINDOWS_FILE, ServedModel
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.ports import Refused
from trimtab.detection.calibration.seasonality import DAY, WEEK
from trimtab.detection.drift.standard_errors import surpasses_chance
from trimtab.detection.performance.concept_drift import concept_loss
from trimtab.detection.performance.performance_impact import Harm
from trimtab.pipelines.history.rows import Table
from trimtab.pipelines.scoring import estimator
from trimtab.pipelines.scoring.performance_estimation import Foresight
from trimtab.pipelines.scoring.performance_impact import Scene, estimate_performance
from trimtab.pipelines.scoring.realised_performance import FEWEST_LABELS

FEWEST_WINDOWS: Final = 5
"""Windows held out without which nothing is usual."""
MOST_WINDOWS: Final = 336
"""The newest of them are looked at: two weeks of hours."""


class Usual(Record):
    """A metric in short windows."""

    means: dict[int, float]
    """Time of day, in windows from midnight UTC, to the mean over the windows there."""
    spread: float = Field(ge=0.0)
    """Standard deviation of a window's value about that mean, with what so few leave open of it."""


class Standards(Record):
    """What short windows are held to; None where it is unknown."""

    realised: Usual | None = None
    estimated: Usual | None = None


def usual_metrics(
    model: Any,  # noqa: ANN401 - any model
    held_out: Table,
    spec: ModelSpec,
    foresight: Foresight,
) -> dict[str, dict[str, JsonValue]]:
    """File name to content; empty where windows are whole weeks, or held-out rows make too few.

    `held_out` are the rows, clean, that the model has not seen.
    """
    if spec.window >= WEEK:
        return {}
    seen = _stand_in(model, foresight)
    told: dict[str, list[tuple[int, float]]] = {"realised": [], "estimated": []}
    since = (held_out[spec.timestamp] - pd.Timestamp(0, tz="UTC")) // pd.Timedelta(spec.window)
    for _, rows in list(held_out.groupby(since))[-MOST_WINDOWS:]:
        if len(rows) < max(spec.minimum_rows, FEWEST_LABELS):
            continue
        place = _time_of_day(rows[spec.timestamp].iloc[0], spec.window)
        rows = rows.reset_index(drop=True)  # noqa: PLW2901 - the same rows
        if (value := estimator.score(model, rows, spec).value) is not None:
            told["realised"].append((place, value))
        predictions = estimator.predict(model, rows, spec)
        scene = Scene(rows, predictions, pd.Series(data=True, index=rows.index))
        if (estimate := estimate_performance(scene, spec, seen)) is not None:
            told["estimated"].append((place, estimate.estimated))
    standards = Standards(**{name: _usual(values) for name, values in told.items()})
    return {BASELINE_WINDOWS_FILE: standards.model_dump(mode="json")}


def standards_of(champion: ServedModel) -> Standards:
    """What was kept with the version."""
    try:
        return Standards.model_validate(champion.artifact(BASELINE_WINDOWS_FILE))
    except Refused:
        return Standards()


def realised_beside_usual(
    change: PerformanceChange | None,
    spec: ModelSpec,
    usual: Usual | None,
    *,
    start: datetime,
    chance: float | None,
) -> PerformanceChange | None:
    """The realised metric beside what is usual at that time of day, where that is known."""
    if change is None or usual is None:
        return change
    return change.model_copy(update=_beside(change.current, spec, usual, start, chance))


def harm_beside_usual(
    harm: Harm,
    spec: ModelSpec,
    standards: Standards,
    *,
    performance: PerformanceChange | None,
    start: datetime,
    chance: float | None,
) -> Harm:
    """The estimated metric beside what is usual at that time of day, where that is known.

    `performance` is the realised one, beside what is usual.
    """
    usual = standards.estimated
    if harm.estimate is None or usual is None:
        return harm
    found = _beside(harm.estimate.estimated, spec, usual, start, chance)
    estimate = harm.estimate.model_copy(update=found)
    error = standards.realised.spread if standards.realised else None
    beyond = concept_loss(performance, estimate, error=error, chance=chance)
    known = None if harm.concept_loss is None else beyond
    return harm.model_copy(update={"estimate": estimate, "concept_loss": known})


def _beside(
    value: float, spec: ModelSpec, usual: Usual, start: datetime, chance: float | None
) -> dict[str, Any]:
    place = _time_of_day(start, spec.window)
    reference = usual.means.get(place, float(np.mean(list(usual.means.values()))))
    loss = reference - value
    real = surpasses_chance(loss, usual.spread, chance=chance)
    return {
        "reference": reference,
        "error": usual.spread,
        "degraded": loss > spec.tolerance and real,
    }


def _usual(told: list[tuple[int, float]]) -> Usual | None:
    if len(told) < FEWEST_WINDOWS:
        return None
    places, values = pd.Series([place for place, _ in told]), pd.Series([v for _, v in told])
    means = values.groupby(places).transform("mean")
    free = len(values) - places.nunique()
    if free < FEWEST_WINDOWS - 1:  # each time of day is seen about once: they count as alike
        places, means, free = places * 0, pd.Series(values.mean(), values.index), len(values) - 1
    spread = math.sqrt(float(((values - means) ** 2).sum()) / (free - 2))  # as of a Student's t
    by_place = values.groupby(places).mean()
    per_place = len(values) / places.nunique()
    return Usual(
        means=dict(zip(by_place.index.tolist(), by_place.tolist(), strict=True)),
        spread=spread * math.sqrt(1.0 + 1.0 / per_place),
    )


def _time_of_day(when: datetime, window: timedelta) -> int:
    """Windows since midnight UTC; 0 for windows of days."""
    when = when.astimezone(UTC)
    midnight = when.replace(hour=0, minute=0, second=0, microsecond=0)
    return int((when - midnight) // window) if window < DAY else 0


def _stand_in(model: Any, foresight: Foresight) -> ServedModel:  # noqa: ANN401 - any model
    """The model that has not seen the held-out rows, as if it served."""

    def find(kept: Any) -> Any:  # noqa: ANN401 - a mapping, and what it holds
        def found(name: str) -> Any:  # noqa: ANN401 - as above
            if name not in kept:
                msg = f"{name} is not kept"
                raise Refused(msg)
            return kept[name]

        return found

    return ServedModel(
        version="0",
        run_id="",
        metrics={},
        tags={},
        load=lambda: model,
        artifact=find(foresight.artifacts),
        companion=find(foresight.companions),
    )
