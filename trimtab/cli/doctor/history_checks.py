"""Checks a model's history: are its columns there, readable, and enough for what is configured?"""

from collections.abc import Iterator
from typing import Any, cast

import pandas as pd

from trimtab.cli.doctor.check_result import Finding, fault, fine, note
from trimtab.cli.doctor.watch_checks import check_watch
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

_TOLERABLE = 0.05
"""Share of a column's values that may be unreadable or beyond its bounds."""
_UNDATED = 0.01
_FEWEST_TO_LEARN = 50
_MOST_WINDOWS = 1000
"""More are no replay but a mistake, such as one row dated 2099."""
_TWO = 2


def check_history(
    history: pd.DataFrame, spec: ModelSpec, *, whole: HistoryTable | None = None
) -> Iterator[Finding]:
    """Every fault of the data, or how much of it there is.

    `whole` is the table in an engine that `history` is a random part of: windows are counted there.
    """
    thing = f"model {spec.name}"
    found = list(_check_names(history, spec, thing))
    for feature in spec.features:
        if feature.name in history:
            found.extend(_check_feature(history[feature.name], feature, thing))
    if spec.target in history:
        found.extend(_check_target(history[spec.target], spec, thing))
    if {spec.target, spec.timestamp} <= set(history.columns):
        found.extend(_check_windows(history, history if whole is None else whole, spec, thing))
    found.extend(check_watch(history, spec, thing))
    yield from found


def _check_names(history: pd.DataFrame, spec: ModelSpec, thing: str) -> Iterator[Finding]:
    there = [str(name) for name in history.columns]
    used = [spec.target, spec.timestamp, *(feature.name for feature in spec.features)]
    missing = [name for name in used if name not in there]
    if missing:
        said = f"dataset {spec.dataset} has no column {', '.join(missing)}"
        yield fault(thing, said, f"correct the names; there are {', '.join(there)}")
    recorded = {spec.prediction, *spec.segments}
    new = sorted(set(there) - set(used) - recorded - set(spec.ignored))
    if new:
        said = f"columns neither used nor ignored: {', '.join(new)}"
        yield note(thing, said, "list them under features or ignored")


def _check_feature(values: pd.Series, feature: Feature, thing: str) -> Iterator[Finding]:
    known = values.dropna()
    if known.empty:
        yield fault(thing, f"feature {feature.name} is empty", "put it under ignored")
    elif feature.kind is FeatureKind.NUMERIC:
        yield from _check_numbers(known, feature, thing)


def _check_numbers(known: pd.Series, feature: Feature, thing: str) -> Iterator[Finding]:
    numbers = cast_to_numbers(known)
    words = known[numbers.isna()]
    if len(words) > _TOLERABLE * len(known):
        said = f"feature {feature.name} is numeric, but {len(words):,} values are no numbers"
        yield fault(thing, f"{said}, such as {str(words.iloc[0])!r}", "write kind: categorical")
        return
    low = feature.minimum if feature.minimum is not None else float("-inf")
    high = feature.maximum if feature.maximum is not None else float("inf")
    outside = 1 - float(numbers.dropna().between(low, high).mean())
    if outside > _TOLERABLE:
        said = f"feature {feature.name}: {outside:.0%} of the values lie outside [{low}, {high}]"
        yield fault(thing, said, "widen minimum and maximum, or take them out")


def _check_target(values: pd.Series, spec: ModelSpec, thing: str) -> Iterator[Finding]:
    known = values.dropna()
    if spec.task is Task.REGRESSION:
        words = known[cast_to_numbers(known).isna()]
        if len(words) > _TOLERABLE * len(known):
            said = f"target {spec.target}: {len(words):,} values are no numbers"
            yield fault(thing, f"{said}, such as {str(words.iloc[0])!r}", "task: classification")
        return
    classes = cast_to_categories(known).nunique()
    if classes < _TWO:
        yield fault(thing, f"target {spec.target} has {classes} classes", "name another target")
    elif classes > _TWO and spec.metric == "roc_auc":
        said = f"metric = roc_auc: target {spec.target} has {classes} classes"
        yield fault(thing, said, "write metric: balanced_accuracy")


def _check_windows(
    history: pd.DataFrame, whole: HistoryTable, spec: ModelSpec, thing: str
) -> Iterator[Finding]:
    times = read_row_times(history, spec)
    undated = int(times.isna().sum())
    if undated > _UNDATED * len(times):
        said = f"timestamp {spec.timestamp}: {undated:,} of {len(times):,} values are no times"
        yield fault(thing, said, "write ISO 8601 such as 2016-10-04T07:59:42Z")
    if undated == len(times):
        return
    start, last = (
        find_first_window_start(whole, spec),
        find_covered_times(whole, spec)[1].to_pydatetime(),
    )
    if (last - start) / spec.window > _MOST_WINDOWS:
        said = f"from {start:%Y-%m-%d} to {last:%Y-%m-%d} there are over {_MOST_WINDOWS:,} windows"
        yield fault(thing, said, "take out stray rows, or correct start and window")
        return
    yield from _check_spans(whole, spec, thing, looked_at=len(history))


def _check_spans(
    history: HistoryTable, spec: ModelSpec, thing: str, *, looked_at: int
) -> Iterator[Finding]:
    span = compute_reference_range(spec, find_first_window_start(history, spec))
    learnt = len(keep_valid_targets(read_rows(history, spec, span), spec))
    windows = cast(
        "list[dict[str, Any]]", cut_windows(history, spec, Request(model=spec.name))["windows"]
    )
    rows = [int(window["rows"]) for window in windows]
    replayed = rows[spec.reference_windows :]
    enough = [count for count in replayed if count >= spec.minimum_rows]
    if learnt < _FEWEST_TO_LEARN:
        said = f"reference_windows = {spec.reference_windows}: hold {learnt} labelled rows"
        yield fault(thing, said, "correct start and window, or take more reference_windows")
    if not replayed:
        said = f"{len(rows)} windows, {spec.reference_windows} of them the reference: none is left"
        yield fault(thing, said, "take a shorter window or fewer reference_windows")
    elif not enough:
        said = f"minimum_rows = {spec.minimum_rows}: no window has as many, at most {max(replayed)}"
        yield fault(thing, said, "take a longer window or lower minimum_rows")
    else:
        said = f"{learnt:,} rows to learn from, {len(enough)} windows to replay"
        count = count_history_rows(history, spec) if is_remote(history) else len(history)
        part = f"; values were looked at in {looked_at:,} rows drawn at random"
        yield fine(thing, f"{count:,} rows: {said}{part if looked_at < count else ''}")
