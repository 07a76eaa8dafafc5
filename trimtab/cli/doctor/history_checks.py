"""Checks a model's history: are its columns there, readable, and enough for what is configured?"""

from collections.abc import Iterator
from typing import Any, Final, cast

import pandas as pd

from trimtab.cli.doctor.check_result import CheckResult
from trimtab.cli.doctor.monitoring_checks import check_monitoring
from trimtab.contracts.drift import FeatureKind
from trimtab.contracts.model import Feature, ModelSpec, Task
from trimtab.detection.profiles.casting import cast_to_categories, cast_to_numbers
from trimtab.pipelines.history.remote import HistoryTable, count_history_rows, is_remote
from trimtab.pipelines.history.rows import (
    find_covered_times,
    find_first_window_start,
    keep_valid_targets,
    read_row_times,
    read_rows,
)
from trimtab.pipelines.history.time_ranges import compute_reference_range
from trimtab.pipelines.inspection.timeline import cut_windows
from trimtab.pipelines.requests import Request

_MAX_UNREADABLE_SHARE: Final = 0.05
"""Share of a column's values that may be unreadable or beyond its bounds."""
_MAX_UNDATED_SHARE: Final = 0.01
_MIN_TRAINING_ROWS: Final = 50
_MAX_WINDOWS: Final = 1000
"""More windows are no replay but a mistake, such as one row dated 2099."""
_TWO_CLASSES: Final = 2


def check_history(
    history: pd.DataFrame, spec: ModelSpec, *, whole: HistoryTable | None = None
) -> Iterator[CheckResult]:
    """Yield every fault of the data, or how much of it there is.

    `whole` is the table in an engine that `history` is a random sample of: windows are counted
    there.
    """
    thing = f"model {spec.name}"
    results = list(_check_columns(history, spec, thing))
    for feature in spec.features:
        if feature.name in history:
            results.extend(_check_feature(history[feature.name], feature, thing))
    if spec.target in history:
        results.extend(_check_target(history[spec.target], spec, thing))
    if {spec.target, spec.timestamp} <= set(history.columns):
        results.extend(_check_windows(history, history if whole is None else whole, spec, thing))
    results.extend(check_monitoring(history, spec, thing))
    yield from results


def _check_columns(history: pd.DataFrame, spec: ModelSpec, thing: str) -> Iterator[CheckResult]:
    columns = [str(name) for name in history.columns]
    used = [spec.target, spec.timestamp, *(feature.name for feature in spec.features)]
    missing = [name for name in used if name not in columns]
    if missing:
        found = f"dataset {spec.dataset} has no column {', '.join(missing)}"
        yield CheckResult.fault(thing, found, f"correct the names; it has {', '.join(columns)}")
    recorded = {spec.prediction, *spec.segments}
    new = sorted(set(columns) - set(used) - recorded - set(spec.ignored))
    if new:
        found = f"columns neither used nor ignored: {', '.join(new)}"
        yield CheckResult.note(thing, found, "list them under features or ignored")


def _check_feature(values: pd.Series, feature: Feature, thing: str) -> Iterator[CheckResult]:
    known = values.dropna()
    if known.empty:
        found = f"feature {feature.name} is empty"
        yield CheckResult.fault(thing, found, "put it under ignored")
    elif feature.kind is FeatureKind.NUMERIC:
        yield from _check_numbers(known, feature, thing)


def _check_numbers(known: pd.Series, feature: Feature, thing: str) -> Iterator[CheckResult]:
    numbers = cast_to_numbers(known)
    texts = known[numbers.isna()]
    if len(texts) > _MAX_UNREADABLE_SHARE * len(known):
        found = f"feature {feature.name} is numeric, but {_count_texts(texts)}"
        yield CheckResult.fault(thing, found, "write kind: categorical")
        return
    low = feature.minimum if feature.minimum is not None else float("-inf")
    high = feature.maximum if feature.maximum is not None else float("inf")
    outside = 1 - float(numbers.dropna().between(low, high).mean())
    if outside > _MAX_UNREADABLE_SHARE:
        found = f"feature {feature.name}: {outside:.0%} of the values lie outside [{low}, {high}]"
        yield CheckResult.fault(thing, found, "widen minimum and maximum, or remove them")


def _count_texts(texts: pd.Series) -> str:
    return f"{len(texts):,} values are not numbers, such as {str(texts.iloc[0])!r}"


def _check_target(values: pd.Series, spec: ModelSpec, thing: str) -> Iterator[CheckResult]:
    known = values.dropna()
    if spec.task is Task.REGRESSION:
        texts = known[cast_to_numbers(known).isna()]
        if len(texts) > _MAX_UNREADABLE_SHARE * len(known):
            found = f"target {spec.target}: {_count_texts(texts)}"
            yield CheckResult.fault(thing, found, "write task: classification")
        return
    classes = cast_to_categories(known).nunique()
    if classes < _TWO_CLASSES:
        found = f"target {spec.target} has {classes} classes"
        yield CheckResult.fault(thing, found, "name another target")
    elif classes > _TWO_CLASSES and spec.metric == "roc_auc":
        found = f"metric = roc_auc: target {spec.target} has {classes} classes"
        yield CheckResult.fault(thing, found, "write metric: balanced_accuracy")


def _check_windows(
    history: pd.DataFrame, whole: HistoryTable, spec: ModelSpec, thing: str
) -> Iterator[CheckResult]:
    times = read_row_times(history, spec)
    undated = int(times.isna().sum())
    if undated > _MAX_UNDATED_SHARE * len(times):
        found = f"timestamp {spec.timestamp}: {undated:,} of {len(times):,} values are not times"
        yield CheckResult.fault(thing, found, "write ISO 8601 such as 2016-10-04T07:59:42Z")
    if undated == len(times):
        return
    start = find_first_window_start(whole, spec)
    last = find_covered_times(whole, spec)[1].to_pydatetime()
    if (last - start) / spec.window > _MAX_WINDOWS:
        found = f"there are over {_MAX_WINDOWS:,} windows from {start:%Y-%m-%d} to {last:%Y-%m-%d}"
        yield CheckResult.fault(thing, found, "remove stray rows, or correct start and window")
        return
    yield from _check_row_counts(whole, spec, thing, sampled=len(history))


def _check_row_counts(
    history: HistoryTable, spec: ModelSpec, thing: str, *, sampled: int
) -> Iterator[CheckResult]:
    span = compute_reference_range(spec, find_first_window_start(history, spec))
    training = len(keep_valid_targets(read_rows(history, spec, span), spec))
    windows = cast(
        "list[dict[str, Any]]", cut_windows(history, spec, Request(model=spec.name))["windows"]
    )
    rows = [int(window["rows"]) for window in windows]
    replayed = rows[spec.reference_windows :]
    enough = [count for count in replayed if count >= spec.minimum_rows]
    if training < _MIN_TRAINING_ROWS:
        found = f"reference_windows = {spec.reference_windows}: they hold {training} labelled rows"
        remedy = "correct start and window, or take more reference_windows"
        yield CheckResult.fault(thing, found, remedy)
    if not replayed:
        found = (
            f"reference_windows = {spec.reference_windows}: there are {len(rows)} windows, so none"
            " is left to replay"
        )
        remedy = "take a shorter window or fewer reference_windows"
        yield CheckResult.fault(thing, found, remedy)
    elif not enough:
        found = f"minimum_rows = {spec.minimum_rows}: no window has more than {max(replayed)} rows"
        yield CheckResult.fault(thing, found, "take a longer window or lower minimum_rows")
    else:
        count = count_history_rows(history, spec) if is_remote(history) else len(history)
        sample = f"; values were checked in {sampled:,} random rows" if sampled < count else ""
        found = f"{count:,} rows: {training:,} to train on, {len(enough)} windows to replay{sample}"
        yield CheckResult.fine(thing, found)
