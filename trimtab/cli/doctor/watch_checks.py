"""Checks how a model is watched against its history: predictions, segments, season, budget."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

import pandas as pd

from trimtab.cli.doctor.check_result import CheckResult
from trimtab.contracts.drift import FeatureKind
from trimtab.contracts.model import ModelSpec, ReferencePeriod
from trimtab.detection.onboarding.exclusions import MANY_CATEGORIES
from trimtab.detection.onboarding.monitoring_settings import thin_reference, windows_per_year
from trimtab.detection.onboarding.predictions import are_chances, why_no_prediction
from trimtab.detection.profiles.casting import cast_to_categories
from trimtab.pipelines.history.rows import row_times

_OFTEN: Final = 0.25
"""Share of the windows from which false alarms are many."""
_DAY: Final = timedelta(days=1)


def check_watch(history: pd.DataFrame, spec: ModelSpec, thing: str) -> Iterator[CheckResult]:
    """Every fault of how the model is watched, and what is worth knowing."""
    yield from _check_prediction(history, spec, thing)
    for column in spec.segments:
        yield from _check_segment(history, column, spec, thing)
    if spec.timestamp in history:
        times = row_times(history, spec)
        if times.notna().any():
            yield from _check_spans(times.max() - times.min(), spec, thing)
    yield from _check_budget(spec, thing)
    if not spec.owner:
        yield CheckResult.note(
            thing, "owner is empty", "name who is asked when a person must decide"
        )


def _check_prediction(history: pd.DataFrame, spec: ModelSpec, thing: str) -> Iterator[CheckResult]:
    column = spec.prediction
    if column is None:
        return
    if column not in history:
        there = ", ".join(str(name) for name in history)
        said = f"prediction = {column}: the dataset {spec.dataset} has no such column"
        yield CheckResult.fault(thing, said, f"write null, or one of {there}")
        return
    if spec.target not in history:
        return
    why = why_no_prediction(history[column], history[spec.target], spec.task)
    if why:
        said = f"prediction = {column}: {why}: it is no prediction of {spec.target}"
        yield CheckResult.fault(thing, said, "name another column, or write null")
    elif spec.metric == "roc_auc" and not are_chances(history[column].dropna()):
        said = f"prediction = {column}: holds classes, and metric = roc_auc needs chances"
        yield CheckResult.fault(
            thing, said, "write metric: balanced_accuracy, or name a column of chances"
        )


def _check_segment(
    history: pd.DataFrame, column: str, spec: ModelSpec, thing: str
) -> Iterator[CheckResult]:
    kinds = {feature.name: feature.kind for feature in spec.features}
    if column not in history:
        said = f"segments: the dataset {spec.dataset} has no column {column}"
    elif kinds.get(column) is not FeatureKind.CATEGORICAL:
        said = f"segments: {column} is no categorical feature"
    elif (count := cast_to_categories(history[column]).nunique()) > MANY_CATEGORIES:
        said = f"segments: {column} has {count:,} categories, more than {MANY_CATEGORIES}"
    else:
        return
    fit = [name for name, kind in kinds.items() if kind is FeatureKind.CATEGORICAL]
    yield CheckResult.fault(
        thing, said, f"take it out, or name one of {', '.join(fit) or 'none: there is none'}"
    )


def _check_spans(covered: timedelta, spec: ModelSpec, thing: str) -> Iterator[CheckResult]:
    replayed = covered - spec.reference_windows * spec.window
    if spec.reference is ReferencePeriod.SEASON and spec.season + spec.window > covered:
        said = f"season = {_days(spec.season)}: the history covers {_days(covered)}"
        yield CheckResult.fault(thing, said, "take a shorter season, or write reference: training")
    if spec.label_delay >= covered:
        said = f"label_delay = {_days(spec.label_delay)}: the history covers {_days(covered)}"
        yield CheckResult.fault(thing, said, "correct it: as it stands no row has its label yet")
    elif spec.label_delay >= replayed > timedelta(0):
        said = f"label_delay = {_days(spec.label_delay)}: {_days(replayed)} follow the reference"
        yield CheckResult.note(thing, said, "no window of the replay gets its labels")
    if spec.dependence and spec.dependence > spec.window / 2:
        said = f"dependence = {_days(spec.dependence)}: a window of {_days(spec.window)} holds"
        yield CheckResult.fault(
            thing, f"{said} no two such stretches", "shorten it, or take a longer window"
        )
    if spec.monitored_every and spec.monitored_every > spec.window:
        said = f"monitored_every = {_days(spec.monitored_every)}: longer than a window"
        yield CheckResult.note(
            thing, said, "rows between two windows are never looked at: shorten it"
        )
    cooldown = spec.announcement_cooldown
    if timedelta(0) < cooldown < spec.window:
        said = f"announcement_cooldown = {_days(cooldown)}: shorter than a window"
        yield CheckResult.note(thing, said, "the same drift is announced with every window")
    elif cooldown > covered:
        said = f"announcement_cooldown = {_days(cooldown)}: the history covers {_days(covered)}"
        yield CheckResult.note(
            thing, said, "the same drift is announced once and never again: shorten it"
        )


def _check_budget(spec: ModelSpec, thing: str) -> Iterator[CheckResult]:
    if thin := thin_reference(spec.window, spec.reference_windows * spec.window):
        yield CheckResult.note(thing, f"reference_windows = {spec.reference_windows}: {thin}")
    budget, windows = spec.false_alarms_per_year, windows_per_year(spec.window)
    said = f"false_alarms_per_year = {budget:g}: there are {windows:,.1f} windows in a year"
    if budget >= windows:
        yield CheckResult.fault(
            thing, said, f"write less than {windows:.2g}, or take a shorter window"
        )
    elif budget > _OFTEN * windows:
        yield CheckResult.note(
            thing, said, f"one in {windows / budget:.1f} may be a false alarm: lower it"
        )


def _days(span: timedelta) -> str:
    """Such as "7 days" or "36 hours"."""
    if span >= 2 * _DAY or span == _DAY:
        return f"{span / _DAY:,.4g} day{'s' if span != _DAY else ''}"
    return f"{span / timedelta(hours=1):,.4g} hours"
