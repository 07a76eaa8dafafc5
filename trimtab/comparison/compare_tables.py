"""Compares two tables, or saved profiles of them: reads, profiles and judges them."""

import math
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final, NamedTuple

from trimtab.comparison.errors import (
    InvalidOptionError,
    InvalidProfileError,
)
from trimtab.comparison.open_sources import open_source
from trimtab.comparison.output_paths import check_output_paths
from trimtab.comparison.profile_record import ProfileRecord
from trimtab.comparison.result import ComparisonResult
from trimtab.comparison.table_columns import inspect_columns, list_names
from trimtab.comparison.table_lookup import find_table
from trimtab.comparison.table_options import TableOptions, check_options, merge_options
from trimtab.comparison.table_profiling import profile_like, profile_reference
from trimtab.comparison.table_sources import TableLike, TableSource
from trimtab.comparison.version import find_version
from trimtab.contracts.comparison import ComparedSources, Comparison
from trimtab.contracts.model import Sensitivity
from trimtab.detection.drift.table_comparison import compare_profiles
from trimtab.detection.profiles.row_numbers import is_pandas_index_name
from trimtab.detection.profiles.window_profile import ColumnProfile

DEFAULT_MIN_PSI: Final = Sensitivity().psi
DEFAULT_ALPHA: Final = Sensitivity().p_value


class CompareRequest(NamedTuple):
    """Two tables to be compared, and how."""

    reference: TableLike | ProfileRecord
    """The table as it should be."""
    current: TableLike | ProfileRecord
    """The table that may have drifted."""
    options: TableOptions = TableOptions()
    min_psi: float = DEFAULT_MIN_PSI
    """Smallest population stability index that counts, in nats."""
    alpha: float = DEFAULT_ALPHA
    """Largest adjusted p-value that counts."""
    outputs: tuple[tuple[str, Path], ...] = ()
    """Options with the files that they write: checked before anything is read."""


def compare_tables(
    request: CompareRequest, *, report_progress: Callable[[str], None] = lambda _: None
) -> ComparisonResult:
    """Return how the current table differs from the reference.

    `report_progress` is called with what is being done. Raises `InvalidInputError`.
    """
    limits = _make_sensitivity(request)
    sides = (request.reference, request.current)
    saved = [each for each in sides if isinstance(each, ProfileRecord)]
    options = merge_options(request.options, saved)
    reference = _find_side(request.reference, "reference", options)
    current = _find_side(request.current, "current", options)
    tables = [each for each in (reference, current) if isinstance(each, TableSource)]
    _check_different(tables)
    check_output_paths(dict(request.outputs), tables)
    with ExitStack() as copies:
        prepare = partial(_prepare_side, copies=copies, report_progress=report_progress)
        before, now = _profile_sides(prepare(reference), prepare(current), options, report_progress)
    report_progress("comparing")
    ignored = {
        *before.ignored,
        *filter(None, [before.timestamp]),
        *filter(is_pandas_index_name, before.left_out),
    }
    found = compare_profiles(
        before.profile,
        now.profile,
        sensitivity=limits,
        ignored=ignored,
        excluded=before.left_out.keys() - ignored,
    )
    return ComparisonResult(_add_origin(found, before, now), (before.profile, now.profile))


def _make_sensitivity(request: CompareRequest) -> Sensitivity:
    """Return the limits from which a column counts as drifted."""
    min_psi = read_number("min_psi", request.min_psi, DEFAULT_MIN_PSI)
    alpha = read_number("alpha", request.alpha, DEFAULT_ALPHA)
    if not (math.isfinite(min_psi) and min_psi >= 0.0):
        fault = f"must be 0 or more, such as {DEFAULT_MIN_PSI:g}"
        raise InvalidOptionError(fault, subject="min_psi", value=repr(request.min_psi))
    if not 0.0 < alpha < 1.0:
        fault = f"must be between 0 and 1, both excluded, such as {DEFAULT_ALPHA:g}"
        raise InvalidOptionError(fault, subject="alpha", value=repr(request.alpha))
    return Sensitivity(psi=min_psi, p_value=alpha)


def read_number(option: str, value: object, default: float) -> float:
    """Return an option's number; raise `InvalidOptionError` if it is none."""
    try:
        return float(value)  # type: ignore[arg-type]  # anything may have been given
    except (TypeError, ValueError):
        fault = f"must be a number, such as {default:g}"
        raise InvalidOptionError(fault, subject=option, value=repr(value)) from None


def _find_side(
    side: TableLike | ProfileRecord, name: str, options: TableOptions
) -> TableSource | ProfileRecord:
    if isinstance(side, ProfileRecord):
        return side
    return find_table(side, side=name, columns=options.names)


def _check_different(tables: list[TableSource]) -> None:
    match tables:
        case [reference, current] if reference.identity == current.identity:
            fault = "is the reference too: give two tables"
            raise current.make_error(fault)


def _prepare_side(
    side: TableSource | ProfileRecord,
    *,
    copies: ExitStack,
    report_progress: Callable[[str], None],
) -> TableSource | ProfileRecord:
    if isinstance(side, ProfileRecord):
        return side
    return copies.enter_context(open_source(side, report_progress=report_progress))


def _profile_sides(
    reference: TableSource | ProfileRecord,
    current: TableSource | ProfileRecord,
    options: TableOptions,
    report_progress: Callable[[str], None],
) -> tuple[ProfileRecord, ProfileRecord]:
    """Return both profiles, over the reference's bins, as far as they are not given."""

    def read_current() -> set[str]:
        if isinstance(current, ProfileRecord):
            return current.names
        return list_names(inspect_columns(current))

    report_progress("looking at the columns")
    if isinstance(reference, ProfileRecord):
        check_options(options, reference.names, read_current)
        before = reference.ignore(options.ignored)
        if not before.profile.columns:
            fault = "all of its columns are ignored: leave one to compare"
            raise InvalidProfileError(
                fault, subject="reference", value=f"(profile of {reference.source})"
            )
    else:
        inferred = inspect_columns(reference, target=options.target)
        check_options(options, list_names(inferred), read_current)
        report_progress("reading the reference")
        before = profile_reference(reference, inferred, options)
    if isinstance(current, ProfileRecord):
        return before, _check_like(current.ignore(options.ignored), before)
    report_progress("reading the current table")
    return before, profile_like(current, before)


def _check_like(current: ProfileRecord, reference: ProfileRecord) -> ProfileRecord:
    """Return the current table's profile if it was counted over the reference's bins."""
    for before in reference.profile.columns:
        now = current.profile.find(before.column.name)
        if now is None or not _has_same_bins(before, now):
            fault = (
                f"column {before.column.name!r} was not counted over the reference's bins: make"
                " this profile with trimtab.profile(table, like=REFERENCE_PROFILE)"
            )
            raise InvalidProfileError(
                fault, subject="current", value=f"(profile of {current.source})"
            )
    return current


def _has_same_bins(one: ColumnProfile, other: ColumnProfile) -> bool:
    fields = ("column", "edges", "cuts", "categories", "others")
    return all(getattr(one, name) == getattr(other, name) for name in fields)


def _add_origin(found: Comparison, before: ProfileRecord, now: ProfileRecord) -> Comparison:
    return found.model_copy(
        update={
            "sources": ComparedSources(reference=before.source, current=now.source),
            "generated": datetime.now(UTC),
            "version": find_version(),
            "left_out": before.left_out,
        }
    )
