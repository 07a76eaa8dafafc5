"""Checks how a model is monitored against its history: predictions, segments, season, alarms."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final

import pandas as pd

from trimtab.cli.doctor.check_result import CheckResult
from trimtab.cli.durations import format_duration_in_words
from trimtab.contracts.drift import FeatureKind
from trimtab.contracts.model import ModelSpec, ReferencePeriod
from trimtab.detection.onboarding.exclusions import MAX_FEATURE_CATEGORIES
from trimtab.detection.onboarding.monitoring_settings import (
    compute_windows_per_year,
    explain_short_reference,
)
from trimtab.detection.onboarding.predictions import are_probabilities, explain_no_prediction
from trimtab.detection.profiles.casting import cast_to_categories
from trimtab.pipelines.history.rows import read_row_times

_MANY_FALSE_ALARMS: Final = 0.25
"""Share of the windows from which false alarms are many."""


def check_monitoring(history: pd.DataFrame, spec: ModelSpec, thing: str) -> Iterator[CheckResult]:
    """Yield every fault of how the model is monitored, and what is worth knowing."""
    yield from _check_prediction(history, spec, thing)
    for column in spec.segments:
        yield from _check_segment(history, column, spec, thing)
    if spec.timestamp in history:
        times = read_row_times(history, spec)
        if times.notna().any():
            covered = times.max() - times.min()
            yield from _check_season(covered, spec, thing)
            yield from _check_label_delay(covered, spec, thing)
            yield from _check_dependence(spec, thing)
            yield from _check_cooldown(covered, spec, thing)
    yield from _check_false_alarms(spec, thing)
    if not spec.owner:
        yield CheckResult.note(thing, "owner is empty", "name who is asked to decide")


def _check_prediction(history: pd.DataFrame, spec: ModelSpec, thing: str) -> Iterator[CheckResult]:
    column = spec.prediction
    if column is None:
        return
    if column not in history:
        columns = ", ".join(str(name) for name in history)
        found = f"prediction = {column}: the dataset {spec.dataset} has no such column"
        yield CheckResult.fault(thing, found, f"write null, or one of {columns}")
        return
    if spec.target not in history:
        return
    why = explain_no_prediction(history[column], history[spec.target], spec.task)
    if why:
        found = f"prediction = {column}: {why}: it is no prediction of {spec.target}"
        yield CheckResult.fault(thing, found, "name another column, or write null")
    elif spec.metric == "roc_auc" and not are_probabilities(history[column].dropna()):
        found = f"prediction = {column}: has classes, but metric = roc_auc needs probabilities"
        remedy = "write metric: balanced_accuracy, or name a column with probabilities"
        yield CheckResult.fault(thing, found, remedy)


def _check_segment(
    history: pd.DataFrame, column: str, spec: ModelSpec, thing: str
) -> Iterator[CheckResult]:
    kinds = {feature.name: feature.kind for feature in spec.features}
    if column not in history:
        found = f"segments: the dataset {spec.dataset} has no column {column}"
    elif kinds.get(column) is not FeatureKind.CATEGORICAL:
        found = f"segments: {column} is not a categorical feature"
    elif (count := cast_to_categories(history[column]).nunique()) > MAX_FEATURE_CATEGORIES:
        found = f"segments: {column} has {count:,} categories, more than {MAX_FEATURE_CATEGORIES}"
    else:
        return
    fitting = [name for name, kind in kinds.items() if kind is FeatureKind.CATEGORICAL]
    instead = f", or name one of {', '.join(fitting)}" if fitting else ""
    yield CheckResult.fault(thing, found, f"remove it{instead}")


def _check_season(covered: timedelta, spec: ModelSpec, thing: str) -> Iterator[CheckResult]:
    if spec.reference is ReferencePeriod.SEASON and spec.season + spec.window > covered:
        season = format_duration_in_words(spec.season)
        found = f"season = {season}: the history covers {format_duration_in_words(covered)}"
        remedy = "take a shorter season, or write reference: training"
        yield CheckResult.fault(thing, found, remedy)


def _check_label_delay(covered: timedelta, spec: ModelSpec, thing: str) -> Iterator[CheckResult]:
    delay, replayed = spec.label_delay, covered - spec.reference_windows * spec.window
    if delay >= covered:
        found = (
            f"label_delay = {format_duration_in_words(delay)}: the history covers"
            f" {format_duration_in_words(covered)}, so no row has its label yet"
        )
        yield CheckResult.fault(thing, found, "correct it")
    elif delay >= replayed > timedelta(0):
        found = (
            f"label_delay = {format_duration_in_words(delay)}: only"
            f" {format_duration_in_words(replayed)} follow the reference, so no replayed window"
            " gets its labels"
        )
        yield CheckResult.note(thing, found)


def _check_dependence(spec: ModelSpec, thing: str) -> Iterator[CheckResult]:
    window = format_duration_in_words(spec.window)
    if spec.dependence and spec.dependence > spec.window / 2:
        found = (
            f"dependence = {format_duration_in_words(spec.dependence)}: a window of {window} does"
            " not hold two such periods"
        )
        yield CheckResult.fault(thing, found, "shorten it, or take a longer window")
    if spec.monitored_every and spec.monitored_every > spec.window:
        every = format_duration_in_words(spec.monitored_every)
        found = (
            f"monitored_every = {every}: is longer than a window of {window}, so the rows in"
            " between are never checked"
        )
        yield CheckResult.note(thing, found, "shorten it")


def _check_cooldown(covered: timedelta, spec: ModelSpec, thing: str) -> Iterator[CheckResult]:
    cooldown = spec.announcement_cooldown
    setting = f"announcement_cooldown = {format_duration_in_words(cooldown)}"
    if timedelta(0) < cooldown < spec.window:
        found = f"{setting}: is shorter than a window, so the same drift is announced every time"
        yield CheckResult.note(thing, found)
    elif cooldown > covered:
        found = (
            f"{setting}: is longer than the history of {format_duration_in_words(covered)}, so the"
            " same drift is announced only once"
        )
        yield CheckResult.note(thing, found, "shorten it")


def _check_false_alarms(spec: ModelSpec, thing: str) -> Iterator[CheckResult]:
    if thin := explain_short_reference(spec.window, spec.reference_windows * spec.window):
        yield CheckResult.note(thing, f"reference_windows = {spec.reference_windows}: {thin}")
    alarms, windows = spec.false_alarms_per_year, compute_windows_per_year(spec.window)
    found = f"false_alarms_per_year = {alarms:g}: there are {windows:,.1f} windows in a year"
    if alarms >= windows:
        remedy = f"write less than {windows:.2g}, or take a shorter window"
        yield CheckResult.fault(thing, found, remedy)
    elif alarms > _MANY_FALSE_ALARMS * windows:
        share = f"one in {windows / alarms:.1f} may be a false alarm"
        yield CheckResult.note(thing, f"{found}, so {share}", "lower it")
