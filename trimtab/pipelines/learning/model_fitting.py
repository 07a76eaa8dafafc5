"""Turns a span of history into a model that can be registered, with an honest figure beside it.

The metric is measured on the span's end, held out by time; the model that is registered has then
learnt from the whole span, as the next one to serve should.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import pandas as pd
from pydantic import JsonValue

from trimtab.contracts import tags as tag
from trimtab.contracts.drift import FeatureKind
from trimtab.contracts.fitted import (
    REFERENCE_PROFILE_FILE,
    REFERENCE_ROWS_FILE,
    SEGMENTS_FILE,
    FittedModel,
    standard_error_name,
)
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.ports import Refused
from trimtab.pipelines.history.profiling import profile_rows
from trimtab.pipelines.history.remote import History
from trimtab.pipelines.history.rows import Table, clean, inputs, rows_between, targets, time_column
from trimtab.pipelines.history.time_ranges import Span, holdout_cut
from trimtab.pipelines.scoring import estimator
from trimtab.pipelines.scoring.baseline_windows import usual_metrics
from trimtab.pipelines.scoring.calibration import calibrate_reference
from trimtab.pipelines.scoring.performance_estimation import Foresight, foresee, reference_rows

FEWEST_ROWS: Final = 50
"""Clean rows without which nothing is learnt."""
EXAMPLE_ROWS: Final = 5
SEGMENTS: Final = 50
"""Most frequent categories of a column whose metric is kept."""
FOURTH: Final = 4
_QUARTER = 0.75


def learn(
    history: History, spec: ModelSpec, *, span: Span, seed: int, tags: Mapping[str, str]
) -> FittedModel:
    """Learn from the clean rows of the span; raises `Refused` where they are too few."""
    rows = rows_between(history, spec, span)
    good = clean(rows, spec)
    if len(good) < FEWEST_ROWS:
        msg = (
            f"{len(good)} labelled rows of {spec.dataset!r} between {span.start} and {span.end}:"
            f" at least {FEWEST_ROWS} are needed: check start, window and reference_windows"
        )
        raise Refused(msg)
    score, segments, foresight = _measure(good, spec, span, seed)
    model = estimator.fit(good, spec, seed=seed)
    predictions = estimator.outputs(model, rows, spec)
    profile = profile_rows(rows, spec, span=span, predictions=predictions)
    return FittedModel(
        estimator=model,
        example=inputs(good.head(EXAMPLE_ROWS), spec),
        metrics={
            **_named(score, spec.metric),
            "holdout_rows": score.rows,
            "rows": len(good),
            "dirty_rows": len(rows) - len(good),
        },
        params=estimator.describe(spec, seed),
        tags={
            tag.TRAINED_START_TAG: span.start.isoformat(),
            tag.TRAINED_END_TAG: span.end.isoformat(),
            tag.TRAINED_ROWS_TAG: str(len(good)),
            **tags,
        },
        artifacts={
            REFERENCE_PROFILE_FILE: profile.model_dump(mode="json"),
            SEGMENTS_FILE: segments,
            **calibrate_reference(rows, spec, predictions=predictions, profile=profile),
            **foresight.artifacts,
        },
        frames={REFERENCE_ROWS_FILE: reference_rows(rows, spec, seed=seed)},
        companions=foresight.companions,
    )


def _measure(
    good: Table, spec: ModelSpec, span: Span, seed: int
) -> tuple[estimator.Score, dict[str, JsonValue], Foresight]:
    """The metric on rows held out at the end, per category of each column, and without labels."""
    for held in _held_out(good, spec, span):
        before, after = good[~held], good[held]
        if len(before) < FEWEST_ROWS:
            continue
        model = estimator.fit(before, spec, seed=seed)
        score = estimator.score(model, after, spec)
        if score.value is not None:
            foresight = foresee(model, after, spec, seed=seed)
            usual = usual_metrics(model, after, spec, foresight)
            foresight = foresight._replace(artifacts={**foresight.artifacts, **usual})
            return score, dict(segment_metrics(model, after, spec)), foresight
    msg = (
        f"{spec.metric} cannot be measured on the end of {span.start} to {span.end}:"
        f" the {len(good)} rows there are too few or have one target only"
    )
    raise Refused(msg)


def _named(score: estimator.Score, metric: str) -> dict[str, float]:
    values = {metric: score.value, standard_error_name(metric): score.error}
    return {name: value for name, value in values.items() if value is not None}


def _held_out(good: Table, spec: ModelSpec, span: Span) -> Iterator["pd.Series[bool]"]:
    """What to hold out: a window at the end by choice, else the last quarter of the rows.

    Rows that share one moment cannot be parted by time: of them it is every fourth.
    """
    times = good[spec.timestamp]
    yield times >= holdout_cut(spec, span)
    yield times >= times.sort_values().iloc[int(_QUARTER * len(good))]
    yield pd.Series(np.arange(len(good)) % FOURTH == 0, index=good.index)


def segment_metrics(model: Any, rows: Table, spec: ModelSpec) -> Iterator[tuple[str, JsonValue]]:  # noqa: ANN401 - scikit-learn has no types
    """The metric per category of each column, and per part of the time."""
    truth, found = targets(rows, spec), estimator.outputs(model, rows, spec)
    for name, values in categories(rows, spec):
        metrics: dict[str, JsonValue] = {}
        for category, count in values.value_counts().head(SEGMENTS).items():
            chosen = values == category
            value = estimator.measure(truth[chosen], found[chosen], spec)
            metrics[str(category)] = {"value": value, "rows": int(count)}
        yield name, metrics


def categories(rows: Table, spec: ModelSpec) -> Iterator[tuple[str, "pd.Series[Any]"]]:
    """The columns that part rows into segments: categorical features and parts of the time."""
    table = inputs(rows, spec)
    for feature in spec.features:
        chosen = not spec.segments or feature.name in spec.segments
        if chosen and feature.kind is FeatureKind.CATEGORICAL:
            yield feature.name, table[feature.name]
    for name in spec.time_features:
        yield name, table[time_column(spec, name)].astype("int64").astype("str")
