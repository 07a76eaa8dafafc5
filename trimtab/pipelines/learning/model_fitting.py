"""Trains a model on a time range, and measures it on rows that it has not learned from.

The metric is measured on the end of the range, held out by time, and on earlier windows of it. The
registered model then learns from the whole range, as the next model to serve should.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

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
)
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.ports import Refused
from trimtab.pipelines.history.profiling import profile_rows
from trimtab.pipelines.history.remote import HistoryTable
from trimtab.pipelines.history.rows import (
    build_model_inputs,
    cast_targets,
    keep_valid_targets,
    name_time_feature,
    read_rows,
)
from trimtab.pipelines.history.time_ranges import TimeRange, find_holdout_start
from trimtab.pipelines.learning.forward_folds import measure_earlier_folds, name_fold_metrics
from trimtab.pipelines.scoring.baseline_windows import measure_baseline_windows
from trimtab.pipelines.scoring.calibration import calibrate_reference
from trimtab.pipelines.scoring.estimator import describe_estimator, fit_estimator
from trimtab.pipelines.scoring.learnability import measure_reference_learnability
from trimtab.pipelines.scoring.metrics import MetricScore, compute_metric, score_model
from trimtab.pipelines.scoring.performance_estimation import (
    EstimationArtifacts,
    prepare_estimation,
    sample_reference_rows,
)
from trimtab.pipelines.scoring.predictions import Predictor, predict_outputs

MIN_TRAINING_ROWS: Final = 50
"""Clean rows that training needs."""
EXAMPLE_ROWS: Final = 5
"""Rows of the model's input example."""
MAX_SEGMENTS: Final = 50
"""Most frequent categories of a column whose metric is stored."""
LAST_QUARTER: Final = 0.75
"""Share of the rows before their last quarter."""
HOLDOUT_STRIDE: Final = 4
"""Every row of this number is held out if rows cannot be split by time."""


def fit_model(
    history: HistoryTable,
    spec: ModelSpec,
    *,
    time_range: TimeRange,
    seed: int,
    tags: Mapping[str, str],
) -> FittedModel:
    """Train on the clean rows of the time range; raises `Refused` if they are too few."""
    rows = read_rows(history, spec, time_range)
    clean = keep_valid_targets(rows, spec)
    if len(clean) < MIN_TRAINING_ROWS:
        msg = (
            f"{len(clean)} labelled rows of {spec.dataset!r} between {time_range.start} and"
            f" {time_range.end}: at least {MIN_TRAINING_ROWS} are needed: check start, window and"
            " reference_windows"
        )
        raise Refused(msg)
    holdout = _measure_holdout(clean, spec, time_range, seed)
    model = fit_estimator(clean, spec, seed=seed)
    predictions = predict_outputs(model, rows, spec)
    profile = profile_rows(rows, spec, time_range=time_range, predictions=predictions)
    return FittedModel(
        estimator=model,
        example=build_model_inputs(clean.head(EXAMPLE_ROWS), spec),
        metrics={
            **name_fold_metrics([*holdout.earlier, holdout.score], spec.metric),
            "holdout_rows": holdout.score.rows,
            "rows": len(clean),
            "dirty_rows": len(rows) - len(clean),
        },
        params=describe_estimator(spec, seed),
        tags={
            tag.TRAINED_START_TAG: time_range.start.isoformat(),
            tag.TRAINED_END_TAG: time_range.end.isoformat(),
            tag.TRAINED_ROWS_TAG: str(len(clean)),
            **tags,
        },
        artifacts={
            REFERENCE_PROFILE_FILE: profile.model_dump(mode="json"),
            SEGMENTS_FILE: holdout.segments,
            **calibrate_reference(rows, spec, predictions=predictions, profile=profile),
            **measure_reference_learnability(clean, spec, time_range),
            **holdout.estimation.artifacts,
        },
        frames={REFERENCE_ROWS_FILE: sample_reference_rows(rows, spec, seed=seed)},
        companions=holdout.estimation.companions,
    )


class _Holdout(NamedTuple):
    """The measurements on held-out rows, of a model that has not learned from them."""

    score: MetricScore
    earlier: list[MetricScore]
    """The metric in earlier periods, each of a model that learned from what precedes it."""
    segments: dict[str, JsonValue]
    estimation: EstimationArtifacts


def _measure_holdout(
    clean: pd.DataFrame, spec: ModelSpec, time_range: TimeRange, seed: int
) -> _Holdout:
    """Measure on the first of the possible holdouts in which the metric is defined."""
    for attempt, held_out in enumerate(_list_holdouts(clean, spec, time_range)):
        before, after = clean[~held_out], clean[held_out]
        if len(before) < MIN_TRAINING_ROWS:
            continue
        model = fit_estimator(before, spec, seed=seed)
        score = score_model(model, after, spec)
        if score.value is not None:
            estimation = prepare_estimation(model, after, spec, seed=seed)
            windows = measure_baseline_windows(model, after, spec, estimation)
            estimation = estimation._replace(artifacts={**estimation.artifacts, **windows})
            by_time = attempt == 0
            earlier = measure_earlier_folds(clean, spec, time_range, seed=seed) if by_time else []
            return _Holdout(score, earlier, dict(measure_segments(model, after, spec)), estimation)
    msg = (
        f"{spec.metric} cannot be measured on the end of {time_range.start} to {time_range.end}:"
        f" the {len(clean)} rows there are too few or have only one target"
    )
    raise Refused(msg)


def _list_holdouts(
    clean: pd.DataFrame, spec: ModelSpec, time_range: TimeRange
) -> Iterator["pd.Series[bool]"]:
    """Yield which rows to hold out: a whole window at the end, else the last quarter of the rows.

    Rows that share one instant cannot be split by time: of them every fourth is held out.
    """
    times = clean[spec.timestamp]
    yield times >= find_holdout_start(spec, time_range)
    yield times >= times.sort_values().iloc[int(LAST_QUARTER * len(clean))]
    yield pd.Series(np.arange(len(clean)) % HOLDOUT_STRIDE == 0, index=clean.index)


def measure_segments(
    model: Predictor, rows: pd.DataFrame, spec: ModelSpec
) -> Iterator[tuple[str, JsonValue]]:
    """Yield the metric of each category, by column; parts of the time count as columns."""
    truth, outputs = cast_targets(rows, spec), predict_outputs(model, rows, spec)
    for name, values in list_segment_columns(rows, spec):
        metrics: dict[str, JsonValue] = {}
        for category, count in values.value_counts().head(MAX_SEGMENTS).items():
            chosen = values == category
            value = compute_metric(truth[chosen], outputs[chosen], spec)
            metrics[str(category)] = {"value": value, "rows": int(count)}
        yield name, metrics


def list_segment_columns(
    rows: pd.DataFrame, spec: ModelSpec
) -> Iterator[tuple[str, "pd.Series[Any]"]]:
    """Yield the columns that divide rows into segments: categorical features, and time features."""
    table = build_model_inputs(rows, spec)
    for feature in spec.features:
        chosen = not spec.segments or feature.name in spec.segments
        if chosen and feature.kind is FeatureKind.CATEGORICAL:
            yield feature.name, table[feature.name]
    for name in spec.time_features:
        yield name, table[name_time_feature(spec, name)].astype("int64").astype("str")
