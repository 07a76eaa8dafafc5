"""Profiles the two sides of a comparison: the reference by itself, the current table like it."""

from collections.abc import Collection
from typing import Final

from trimtab.comparison.profile_record import ProfileRecord
from trimtab.comparison.table_columns import (
    MAX_COLUMNS_NAMED,
    check_common_columns,
    check_header,
)
from trimtab.comparison.table_options import TableOptions
from trimtab.comparison.table_sources import TableSource
from trimtab.comparison.version import find_version
from trimtab.contracts.drift import FeatureRole
from trimtab.detection.profiles.columns import Column
from trimtab.detection.profiles.row_numbers import is_row_number
from trimtab.detection.profiles.window_profile import WindowProfile
from trimtab.detection.tables.column_inference import InferredColumns
from trimtab.detection.tables.duckdb_table import UnreadableError
from trimtab.detection.tables.profiling import profile_relation
from trimtab.detection.tables.row_filter import RowFilter

_ROW_NUMBER: Final = "it numbers the rows"


def profile_reference(
    source: TableSource, inferred: InferredColumns, options: TableOptions
) -> ProfileRecord:
    """Return the profile of a table over bins of its own, without columns that number the rows.

    Raises `InvalidTableError` if nothing can be compared.
    """
    skipped = {*options.ignored, options.timestamp}
    columns = tuple(column for column in inferred.columns if column.name not in skipped)
    left_out = {name: why for name, why in inferred.left_out.items() if name not in skipped}
    if not columns:
        reasons = [f"{name}: {why}" for name, why in left_out.items()][:MAX_COLUMNS_NAMED]
        fault = f"no column can be compared ({'; '.join(reasons) or 'none is left'})"
        raise source.make_error(fault)
    profile = _profile_table(source, columns, timestamp=options.timestamp, like=None)
    numbering = _find_row_numbers(profile)
    return ProfileRecord(
        version=find_version(),
        source=source.name,
        profile=profile,
        left_out=left_out,
        timestamp=options.timestamp,
        target=options.target,
        ignored=options.ignored,
    ).leave_out(dict.fromkeys(numbering, _ROW_NUMBER))


def profile_like(source: TableSource, reference: ProfileRecord) -> ProfileRecord:
    """Return the profile of a table over the reference's bins, of the same columns.

    Raises `InvalidTableError` if the table has none of them.
    """
    columns = tuple(each.column for each in reference.profile.columns)
    profile = _profile_table(source, columns, timestamp=reference.timestamp, like=reference.profile)
    check_header(profile.filled, source)
    if not any(column.value_count for column in profile.columns):
        check_common_columns({column.name for column in columns}, source)
    update = {"version": find_version(), "source": source.name, "profile": profile}
    return reference.model_copy(update=update)


def _profile_table(
    source: TableSource,
    columns: tuple[Column, ...],
    *,
    timestamp: str | None,
    like: WindowProfile | None,
) -> WindowProfile:
    where = RowFilter(timestamp) if timestamp else None
    try:
        return profile_relation(source.relation, columns, like=like, where=where, sketches=False)
    except UnreadableError as error:
        raise source.make_error(str(error)) from None


def _find_row_numbers(profile: WindowProfile) -> Collection[str]:
    """Return the columns that only number the rows, unless there are no others."""
    found = {
        each.column.name
        for each in profile.columns
        if each.column.role is FeatureRole.FEATURE and is_row_number(each)
    }
    return found if len(found) < len(profile.columns) else ()
