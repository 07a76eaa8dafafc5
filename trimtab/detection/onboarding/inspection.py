"""Looks at a table for the first time and proposes how its model is to be watched.

Nothing is asked and nothing is hidden: each choice comes with what it was made from.
"""

import math
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

import pandas as pd
from pydantic import AwareDatetime

from trimtab.contracts.base import NAME_PATTERN, Name, Record
from trimtab.contracts.model import Feature, ModelSpec, Task
from trimtab.contracts.signature import ModelSignature
from trimtab.contracts.suggestions import suggest_name
from trimtab.detection.onboarding.candidates import Candidate
from trimtab.detection.onboarding.cautions import cautions, foreign_cautions
from trimtab.detection.onboarding.feature_proposal import Judgement, judge
from trimtab.detection.onboarding.monitoring_settings import budget, cooldown, season, segments
from trimtab.detection.onboarding.predictions import are_chances, find_prediction
from trimtab.detection.onboarding.signature import adapted, interface_faults, judge_for, output_kind
from trimtab.detection.onboarding.targets import Target, UnfitTargetError, judge_target
from trimtab.detection.onboarding.window_choice import Windows, choose_windows
from trimtab.detection.tables.timestamps import ParsedTimestamps, parse_timestamps

FEWEST_ROWS: Final = 1_000
_UNREADABLE = 0.01
"""Share of times that may be unreadable: such rows are in no window."""
_TOLERANCE = 0.02
_MOST_TOLERANCE = 0.2
_MINIMUM_ROWS = (10, 200)
_DAY, _WEEK, _YEAR = timedelta(days=1), timedelta(days=7), timedelta(days=365)


class Question(Record):
    """What is asked about a table."""

    name: Name
    """Of the model."""
    dataset: Name
    target: str
    timestamp: str
    interface: ModelSignature | None = None
    """Of the registered version that is to be watched; None where there is none yet."""
    since: AwareDatetime | None = None
    """Earlier rows do not count: a registered version may have learnt from them."""


class Proposal(Record):
    """A model's first configuration, and what it was made from."""

    spec: ModelSpec
    columns: tuple[Judgement, ...]
    """Every column but target, timestamp and prediction, in the table's order."""
    target: Target
    prediction: Judgement | None = None
    """The column with what was predicted; None where there is none."""
    rows: int
    """Rows with a time."""
    counts: tuple[int, ...]
    """Rows in each window from the start."""
    reading: str
    """How times were read."""
    period: str = ""
    """ "month", "quarter" or "year" where rows are dated no finer."""
    interface: ModelSignature | None = None
    """Of the registered version; None where there is none yet."""
    warnings: tuple[str, ...] = ()
    """What a person should look at before believing the proposal."""


class UnfitTableError(Exception):
    """The table cannot be watched as it is: every fault, with its remedy."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def propose(table: pd.DataFrame, question: Question) -> Proposal:
    """How to watch the model behind the table; raises `UnfitTableError` with every fault."""
    _refuse(_naming_faults([str(name) for name in table.columns], question))
    table, read = _read_times(table, question)
    target, windows = _judge_axes(table, question, read.times)
    dated = read.times.notna()
    rows, times = table.loc[dated], read.times[dated]
    prediction = _find_prediction(rows, question, target.task)
    taken = {question.target, question.timestamp, prediction.name if prediction else ""}
    columns = tuple(_judge_columns(rows, question, times=times, task=target.task, taken=taken))
    if not any(column.kind for column in columns):
        reasons = "; ".join(f"{column.name}: {column.reason}" for column in columns)
        _refuse([f"no column is left to learn from: {reasons or 'there is none'}"])
    spec = _spec(question, target=target, windows=windows, columns=columns, times=times)
    spec = _watched(spec, rows, prediction, windows=windows)
    if question.interface:
        spec = adapted(spec, question.interface, rows)
    return Proposal(
        spec=spec,
        columns=columns,
        target=target,
        prediction=prediction,
        rows=len(rows),
        counts=windows.counts,
        reading=read.source_format,
        period=windows.period,
        interface=question.interface,
        warnings=(
            *cautions(table, spec, windows=windows, times=read.times),
            *_foreign_cautions(question, spec),
        ),
    )


def _foreign_cautions(question: Question, spec: ModelSpec) -> Iterator[str]:
    if question.interface:
        yield from foreign_cautions(question.interface, spec, since=question.since)


def _refuse(faults: Iterator[str] | list[str]) -> None:
    found = list(faults)
    if found:
        raise UnfitTableError(found)


def _naming_faults(names: list[str], question: Question) -> Iterator[str]:
    there = ", ".join(names)
    if len(names) == 1 and re.search(r"[;|\t]", names[0]):
        yield f"there is one column, {names[0]!r:.80}: part columns by commas"
        return
    for role, column in (("target", question.target), ("timestamp", question.timestamp)):
        if column not in names:
            near = suggest_name(column, names)
            hint = f": did you mean {near!r}?" if near else ""
            yield f"{role} {column!r}: no such column{hint} There are: {there}"
        elif not re.fullmatch(NAME_PATTERN, column):
            signs = "letters, digits, _ . : / - and spaces, at most 128"
            yield f"{role} {column!r}: a name may hold {signs}: rename the column"
    if question.target == question.timestamp:
        yield f"target and timestamp are both {question.target!r}: name two columns"
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        yield f"columns that stand twice: {', '.join(twice)}: rename one of each"


def _read_times(table: pd.DataFrame, question: Question) -> tuple[pd.DataFrame, ParsedTimestamps]:
    """The rows that count, with their times."""
    if question.interface:
        _refuse(interface_faults(table, question.interface))
    table = table.reset_index(drop=True)
    if question.since is None:
        return table, parse_timestamps(table[question.timestamp])
    counts = ~(parse_timestamps(table[question.timestamp]).times < question.since)
    later = table[counts].reset_index(drop=True)
    if later.empty:
        _refuse([f"since {question.since}: no row is as late as that: name an earlier time"])
    return later, parse_timestamps(later[question.timestamp])


def _find_prediction(rows: pd.DataFrame, question: Question, task: Task) -> Judgement | None:
    seen = {each.name for each in question.interface.inputs} if question.interface else set()
    return find_prediction(rows.drop(columns=list(seen & set(rows))), question.target, task)


def _watched(
    spec: ModelSpec, rows: pd.DataFrame, prediction: Judgement | None, *, windows: Windows
) -> ModelSpec:
    """With how closely it is watched."""
    told_apart = {
        "prediction": prediction.name if prediction else None,
        "segments": segments(rows, spec, typical_rows=windows.typical_rows),
        "season": season(spec.window),
        "false_alarms_per_year": budget(spec.window),
        "announcement_cooldown": cooldown(spec.window),
    }
    of_classes = prediction and not are_chances(rows[prediction.name].dropna())
    if spec.metric == "roc_auc" and of_classes:
        told_apart["metric"] = "balanced_accuracy"  # classes on record have no order
    return spec.model_copy(update=told_apart)


def _judge_axes(
    table: pd.DataFrame, question: Question, times: pd.Series
) -> tuple[Target, Windows]:
    """What is predicted and how time is divided: the faults of both are told together."""
    faults = list(_time_faults(table[question.timestamp], times))
    target = windows = None
    try:
        interface = question.interface
        known = output_kind(interface, table[question.target]) if interface else None
        target = judge_target(table[question.target], task=known)
    except UnfitTargetError as error:
        faults.append(f"target {question.target!r}: {error}")
    try:
        windows = choose_windows(times)
    except ValueError as error:
        faults.append(f"timestamp {question.timestamp!r}: {error}: windows need a span of time")
    if faults or target is None or windows is None:
        raise UnfitTableError(faults)
    return target, windows


def _time_faults(column: pd.Series, times: pd.Series) -> Iterator[str]:
    unreadable = column[times.isna() & column.notna()]
    if len(unreadable) > _UNREADABLE * len(column):
        shown = ", ".join(repr(str(value)) for value in unreadable.unique()[:3])
        yield (
            f"timestamp {column.name!r}: {len(unreadable):,} of {len(column):,} values are no times"
            f" Trimtab can read, such as {shown}: write ISO 8601 such as 2016-10-04T07:59:42Z"
        )
    dated = int(times.notna().sum())
    if dated < FEWEST_ROWS and len(unreadable) <= _UNREADABLE * len(column):
        yield f"rows = {dated:,} with a time: bring at least {FEWEST_ROWS:,}"


def _judge_columns(
    rows: pd.DataFrame, question: Question, *, times: pd.Series, task: Task, taken: set[str]
) -> Iterator[Judgement]:
    target = rows[question.target]
    for name in rows.columns:
        if name in taken:
            continue
        values = rows[name]
        column = Candidate(name=str(name), values=values, times=times, target=target, task=task)
        interface = question.interface
        yield judge_for(interface, column) if interface else judge(column)


def _spec(
    question: Question,
    *,
    target: Target,
    windows: Windows,
    columns: tuple[Judgement, ...],
    times: pd.Series,
) -> ModelSpec:
    noise = math.ceil(100 / math.sqrt(max(windows.typical_rows, 1))) / 100
    tolerance = min(max(_TOLERANCE, noise), _MOST_TOLERANCE)
    few, usual = _MINIMUM_ROWS
    return ModelSpec(
        name=question.name,
        task=target.task,
        dataset=question.dataset,
        target=question.target,
        target_minimum=target.minimum,
        timestamp=question.timestamp,
        features=tuple(
            Feature(name=each.name, kind=each.kind, minimum=each.minimum, maximum=each.maximum)
            for each in columns
            if each.kind
        ),
        time_features=tuple(_time_features(times, windows)),
        ignored={each.name: each.reason for each in columns if not each.kind},
        start=windows.start or (times.min().normalize() if question.since else None),
        window=windows.window,
        reference_windows=windows.reference,
        label_delay=timedelta(0),
        metric=target.metric,
        tolerance=tolerance,
        minimum_rows=min(usual, max(few, windows.typical_rows // 2)),
        promotion_margin=round(tolerance / 4, 4),
    )


def _time_features(times: pd.Series, windows: Windows) -> Iterator[str]:
    """What recurs within the reference, so that it can be learnt there."""
    learnt = windows.reference * windows.window
    if learnt >= _DAY and times.dt.hour.nunique() > len(_MINIMUM_ROWS):
        yield "hour"
    if learnt >= _WEEK and not windows.period and times.dt.day_of_week.nunique() > 2:  # noqa: PLR2004 - more than a pair of days
        yield "weekday"
    if learnt >= _YEAR and windows.period != "year":
        yield "month"
