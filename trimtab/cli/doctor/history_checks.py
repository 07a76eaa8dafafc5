"""Checks a model's history: are its columns there, readable, and enough for what is configured?"""

from collections.abc import Iterator
from typing import Any, cast

import pandas as pd

from trimtab.cli.doctor.check_result import CheckResult
from trimtab.cli.doctor.watch_checks import check_watch
from trimtab.contracts.drift import FeatureKind
from trimtab.contracts.model import Feature, ModelSpec, Task
from trimtab.detection.profiles.casting import cast_to_categories, cast_to_numbers
from trimtab.pipelines.history.remote import History, count_rows, is_remote
from trimtab.pipelines.history.rows import (
    clean,
    covered,
    first_window_start,
    row_times,
    rows_between,
)
from trimtab.pipelines.history.time_ranges import reference_span
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
    history: pd.DataFrame, spec: ModelSpec, *, whole: History | None = None
) -> Iterator[CheckResult]:
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


def _check_names(history: pd.DataFrame, spec: ModelSpec, thing: str) -> Iterator[CheckResult]:
    there = [str(name) for name in history.columns]
    used = [spec.target, spec.timestamp, *(feature.name for feature in spec.features)]
    missing = [name for name in used if name not in there]
    if missing:
        said = f"dataset {spec.dataset} has no column {', '.join(missing)}"
        yield CheckResult.fault(thing, said, f"correct the names; there are {', '.join(there)}")
    recorded = {spec.prediction, *spec.segments}
    new = sorted(set(there) - set(used) - recorded - set(spec.ignored))
    if new:
        said = f"columns neither used nor ignored: {', '.join(new)}"
        yield CheckResult.note(thing, said, "list them under features or ignored")


def _check_feature(values: pd.Series, feature: Feature, thing: str) -> Iterator[CheckResult]:
    known = values.dropna()
    if known.empty:
        yield CheckResult.fault(thing, f"feature {feature.name} is empty", "put it under ignored")
    elif feature.kind is FeatureKind.NUMERIC:
        yield from _check_numbers(known, feature, thing)


def _check_numbers(known: pd.Series, feature: Feature, thing: str) -> Iterator[CheckResult]:
    numbers = cast_to_numbers(known)
    words = known[numbers.isna()]
    if len(words) > _TOLERABLE * len(known):
        said = f"feature {feature.name} is numeric, but {len(words):,} values are no numbers"
        yield CheckResult.fault(
            thing, f"{said}, such as {str(words.iloc[0])!r}", "write kind: categorical"
        )
        return
    low = feature.minimum if feature.minimum is not None else float("-inf")
    high = feature.maximum if feature.maximum is not None else float("inf")
    outside = 1 - float(numbers.dropna().between(low, high).mean())
    if outside > _TOLERABLE:
        said = f"feature {feature.name}: {outside:.0%} of the values lie outside [{low}, {high}]"
        yield CheckResult.fault(thing, said, "widen minimum and maximum, or take them out")


def _check_target(values: pd.Series, spec: ModelSpec, thing: str) -> Iterator[CheckResult]:
    known = values.dropna()
    if spec.task is Task.REGRESSION:
        words = known[cast_to_numbers(known).isna()]
        if len(words) > _TOLERABLE * len(known):
            said = f"target {spec.target}: {len(words):,} values are no numbers"
            yield CheckResult.fault(
                thing, f"{said}, such as {str(words.iloc[0])!r}", "task: classification"
            )
        return
    classes = cast_to_categories(known).nunique()
    if classes < _TWO:
        yield CheckResult.fault(
            thing, f"target {spec.target} has {classes} classes", "name another target"
        )
    elif classes > _TWO and spec.metric == "roc_auc":
        said = f"metric = roc_auc: target {spec.target} has {classes} classes"
        yield CheckResult.fault(thing, said, "write metric: balanced_accuracy")


def _check_windows(
    history: pd.DataFrame, whole: History, spec: ModelSpec, thing: str
) -> Iterator[CheckResult]:
    times = row_times(history, spec)
    undated = int(times.isna().sum())
    if undated > _UNDATED * len(times):
        said = f"timestamp {spec.timestamp}: {undated:,} of {len(times):,} values are no times"
        yield CheckResult.fault(thing, said, "write ISO 8601 such as 2016-10-04T07:59:42Z")
    if undated == len(times):
        return
    start, last = first_window_start(whole, spec), covered(whole, spec)[1].to_pydatetime()
    if (last - start) / spec.window > _MOST_WINDOWS:
        said = f"from {start:%Y-%m-%d} to {last:%Y-%m-%d} there are over {_MOST_WINDOWS:,} windows"
        yield CheckResult.fault(thing, said, "take out stray rows, or correct start and window")
        return
    yield from _check_spans(whole, spec, thing, looked_at=len(history))


def _check_spans(
    history: History, spec: ModelSpec, thing: str, *, looked_at: int
) -> Iterator[CheckResult]:
    span = reference_span(spec, first_window_start(history, spec))
    learnt = len(clean(rows_between(history, spec, span), spec))
    windows = cast(
        "list[dict[str, Any]]", cut_windows(history, spec, Request(model=spec.name))["windows"]
    )
    rows = [int(window["rows"]) for window in windows]
    replayed = rows[spec.reference_windows :]
    enough = [count for count in replayed if count >= spec.minimum_rows]
    if learnt < _FEWEST_TO_LEARN:
        said = f"reference_windows = {spec.reference_windows}: hold {learnt} labelled rows"
        yield CheckResult.fault(
            thing, said, "correct start and window, or take more reference_windows"
        )
    if not replayed:
        said = f"{len(rows)} windows, {spec.reference_windows} of them the reference: none is left"
        yield CheckResult.fault(thing, said, "take a shorter window or fewer reference_windows")
    elif not enough:
        said = f"minimum_rows = {spec.minimum_rows}: no window has as many, at most {max(replayed)}"
        yield CheckResult.fault(thing, said, "take a longer window or lower minimum_rows")
    else:
        said = f"{learnt:,} rows to learn from, {len(enough)} windows to replay"
        count = count_rows(history, spec) if is_remote(history) else len(history)
        part = f"; values were looked at in {looked_at:,} rows drawn at random"
        yield CheckResult.fine(thing, f"{count:,} rows: {said}{part if looked_at < count else ''}")
