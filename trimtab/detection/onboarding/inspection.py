"""Inspects a table for the first time and proposes how its model is to be monitored.

It asks no questions, and each choice comes with what it was made from.
"""

from collections.abc import Iterable, Iterator

import pandas as pd

from trimtab.contracts.model import Task
from trimtab.detection.onboarding.candidates import Candidate
from trimtab.detection.onboarding.feature_proposal import ColumnProposal, propose_column
from trimtab.detection.onboarding.predictions import find_prediction_column
from trimtab.detection.onboarding.proposal import InspectionRequest, Proposal, UnfitTableError
from trimtab.detection.onboarding.signature import (
    adapt_spec,
    find_signature_faults,
    infer_task,
    propose_model_input,
)
from trimtab.detection.onboarding.spec_proposal import add_monitoring_settings, propose_spec
from trimtab.detection.onboarding.table_faults import find_naming_faults, find_time_faults
from trimtab.detection.onboarding.table_warnings import (
    list_foreign_model_warnings,
    list_table_warnings,
)
from trimtab.detection.onboarding.targets import TargetProposal, UnfitTargetError, propose_target
from trimtab.detection.onboarding.window_choice import WindowChoice, choose_windows
from trimtab.detection.tables.timestamps import ParsedTimestamps, parse_timestamps


def propose_configuration(table: pd.DataFrame, request: InspectionRequest) -> Proposal:
    """Return how to monitor the model whose history the table is.

    Raises:
        UnfitTableError: The table cannot be monitored as it is; it holds every fault.
    """
    _refuse(find_naming_faults([str(name) for name in table.columns], request))
    table, parsed = _parse_times(table, request)
    target, windows = _propose_target_and_windows(table, request, parsed.times)
    dated = parsed.times.notna()
    rows, times = table.loc[dated], parsed.times[dated]
    prediction = _find_prediction(rows, request, target.task)
    taken = {request.target, request.timestamp, prediction.name if prediction else ""}
    columns = tuple(_propose_columns(rows, request, times=times, task=target.task, taken=taken))
    if not any(column.kind for column in columns):
        reasons = "; ".join(f"{column.name}: {column.reason}" for column in columns)
        _refuse([f"no column is left to learn from: {reasons or 'there is no other column'}"])
    spec = propose_spec(request, target=target, windows=windows, columns=columns, times=times)
    spec = add_monitoring_settings(spec, rows, prediction, typical_rows=windows.typical_rows)
    warnings = list(list_table_warnings(table, spec, windows=windows, times=parsed.times))
    if request.signature:
        spec = adapt_spec(spec, request.signature, rows)
        warnings += list_foreign_model_warnings(request.signature, spec, since=request.since)
    return Proposal(
        spec=spec,
        columns=columns,
        target=target,
        prediction=prediction,
        rows=len(rows),
        counts=windows.counts,
        timestamp_format=parsed.source_format,
        period=windows.period,
        signature=request.signature,
        warnings=tuple(warnings),
    )


def _refuse(faults: Iterable[str]) -> None:
    """Raise `UnfitTableError` if there are any faults."""
    found = list(faults)
    if found:
        raise UnfitTableError(found)


def _parse_times(
    table: pd.DataFrame, request: InspectionRequest
) -> tuple[pd.DataFrame, ParsedTimestamps]:
    """Return the rows that count, with their times."""
    if request.signature:
        _refuse(find_signature_faults(table, request.signature))
    table = table.reset_index(drop=True)
    parsed = parse_timestamps(table[request.timestamp])
    if request.since is None:
        return table, parsed
    later = table[~(parsed.times < request.since)].reset_index(drop=True)
    if later.empty:
        _refuse([f"since {request.since}: no row is that late: name an earlier time"])
    return later, parse_timestamps(later[request.timestamp])


def _propose_target_and_windows(
    table: pd.DataFrame, request: InspectionRequest, times: pd.Series
) -> tuple[TargetProposal, WindowChoice]:
    """Return what is predicted and how time is divided, or raise the faults of both at once."""
    faults = list(find_time_faults(table[request.timestamp], times))
    values, signature = table[request.target], request.signature
    target = windows = None
    try:
        target = propose_target(values, task=infer_task(signature, values) if signature else None)
    except UnfitTargetError as error:
        faults.append(f"target {request.target!r}: {error}")
    try:
        windows = choose_windows(times)
    except ValueError as error:
        fault = f"{error}: windows need rows of a longer time"
        faults.append(f"timestamp {request.timestamp!r}: {fault}")
    if faults or target is None or windows is None:
        raise UnfitTableError(faults)
    return target, windows


def _find_prediction(
    rows: pd.DataFrame, request: InspectionRequest, task: Task
) -> ColumnProposal | None:
    inputs = {each.name for each in request.signature.inputs} if request.signature else set()
    others = rows.drop(columns=list(inputs & set(rows)))
    return find_prediction_column(others, request.target, task)


def _propose_columns(
    rows: pd.DataFrame,
    request: InspectionRequest,
    *,
    times: pd.Series,
    task: Task,
    taken: set[str],
) -> Iterator[ColumnProposal]:
    """Yield a proposal for every column that has no role yet."""
    target, signature = rows[request.target], request.signature
    for name in rows.columns:
        if name in taken:
            continue
        values = rows[name]
        candidate = Candidate(name=str(name), values=values, times=times, target=target, task=task)
        if signature:
            yield propose_model_input(signature, candidate)
        else:
            yield propose_column(candidate)
