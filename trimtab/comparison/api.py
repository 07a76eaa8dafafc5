"""The Python interface: `trimtab.compare`, `trimtab.profile` and `trimtab.load_profile`."""

from collections.abc import Iterable
from contextlib import ExitStack
from os import PathLike

from trimtab.comparison.compare_tables import (
    DEFAULT_ALPHA,
    DEFAULT_MIN_PSI,
    CompareRequest,
    compare_tables,
)
from trimtab.comparison.errors import InvalidOptionError
from trimtab.comparison.open_sources import open_source
from trimtab.comparison.profile_record import ProfileRecord
from trimtab.comparison.result import ComparisonResult
from trimtab.comparison.table_columns import inspect_columns, list_names
from trimtab.comparison.table_lookup import find_table
from trimtab.comparison.table_options import TableOptions, check_table_options
from trimtab.comparison.table_profile import TableProfile
from trimtab.comparison.table_profiling import profile_like, profile_reference
from trimtab.comparison.table_sources import TableLike


def compare(  # noqa: PLR0913 - the options of the command line
    reference: TableLike | TableProfile,
    current: TableLike | TableProfile,
    *,
    timestamp: str | None = None,
    target: str | None = None,
    ignore: Iterable[str] = (),
    min_psi: float = DEFAULT_MIN_PSI,
    alpha: float = DEFAULT_ALPHA,
) -> ComparisonResult:
    """Compare two tables: say whether the current one drifted, which columns, how far and why.

    The figures and the page are those of `trimtab compare`. Nothing is printed, and neither table
    is changed.

    Args:
        reference: The table as it should be: a pandas, polars or Arrow table, a DuckDB relation, an
            Ibis table, a path (Parquet, CSV, gzipped CSV, a folder of these, a pattern) or the URL
            of a database table, or a profile that `trimtab.profile` made.
        current: The table that may have drifted. A profile must be made like the reference's.
        timestamp: Column with the time of each row. It is not compared, but too few rows for their
            time, rows without a time, and data that is not newer than the reference are reported.
        target: Column with what a model predicts.
        ignore: Columns that are not compared.
        min_psi: Smallest population stability index, in nats, that counts as drift.
        alpha: Largest p-value, adjusted for the number of columns, that counts as drift.

    Returns:
        The verdict, a data frame of the columns, the faults of the data, and a page.

    Raises:
        InvalidTableError: A table cannot be read or compared.
        UnsupportedTableError: An object is no table; also a `TypeError`.
        InvalidProfileError: A saved profile does not fit the other side.
        InvalidOptionError: An option names a column that does not exist, or has a wrong value.

    Example:
        >>> import pandas as pd, trimtab
        >>> reference = pd.DataFrame({"age": list(range(20, 70)) * 20})
        >>> result = trimtab.compare(reference, reference.assign(age=reference["age"] + 15))
        >>> result.drifted, result.severity.value
        (True, 'medium')
    """
    options = TableOptions(
        timestamp=_check_name("timestamp", timestamp),
        target=_check_name("target", target),
        ignored=_check_names(ignore),
    )
    return compare_tables(
        CompareRequest(
            _unwrap_profile(reference),
            _unwrap_profile(current),
            options=options,
            min_psi=min_psi,
            alpha=alpha,
        )
    )


def profile(
    table: TableLike,
    *,
    timestamp: str | None = None,
    target: str | None = None,
    ignore: Iterable[str] = (),
    like: TableProfile | None = None,
) -> TableProfile:
    """Return a profile of a table: small, and enough to compare the table again later.

    A profile can be saved, compared instead of its table, and merged with others.

    Args:
        table: A pandas, polars or Arrow table, a DuckDB relation, an Ibis table, a path or a URL.
        timestamp: Column with the time of each row.
        target: Column with what a model predicts.
        ignore: Columns that are not compared.
        like: A profile over whose bins this table is counted, with the same columns and options.
            Only such profiles can be merged with it, or compared with it as the current side.

    Raises:
        InvalidTableError: The table cannot be read, or none of its columns can be compared.
        UnsupportedTableError: The object is no table; also a `TypeError`.
        InvalidOptionError: An option names a column that does not exist, or contradicts `like`.

    Example:
        >>> import pandas as pd, trimtab
        >>> first = trimtab.profile(pd.DataFrame({"age": range(20, 70)}))
        >>> second = trimtab.profile(pd.DataFrame({"age": range(30, 80)}), like=first)
        >>> (first + second).rows
        100
    """
    options = TableOptions(
        timestamp=_check_name("timestamp", timestamp),
        target=_check_name("target", target),
        ignored=_check_names(ignore),
    )
    if like is not None:
        options = _adopt_options(options, like)
    source = find_table(table, side="table", columns=options.names)
    with ExitStack() as copies:
        source = copies.enter_context(open_source(source, report_progress=lambda _: None))
        if like is not None:
            return TableProfile(profile_like(source, like.record))
        inferred = inspect_columns(source, target=options.target)
        check_table_options(options, list_names(inferred))
        return TableProfile(profile_reference(source, inferred, options))


def load_profile(path: str | PathLike[str]) -> TableProfile:
    """Return a profile that `TableProfile.save` wrote.

    Raises `InvalidProfileError` if the file holds none, and `OSError` if it cannot be read.
    """
    return TableProfile.load(path)


def _unwrap_profile(side: TableLike | TableProfile) -> TableLike | ProfileRecord:
    return side.record if isinstance(side, TableProfile) else side


def _adopt_options(options: TableOptions, like: TableProfile) -> TableOptions:
    """Return the options of the profile that another one is made like."""
    if not isinstance(like, TableProfile):
        fault = "must be a profile that trimtab.profile made"
        raise InvalidOptionError(fault, subject="like", value=type(like).__name__)
    record = like.record
    adopted = TableOptions(record.timestamp, record.target, record.ignored)
    for name, value in options._asdict().items():
        if value not in (None, ()) and value != getattr(adopted, name):
            option = "ignore" if name == "ignored" else name
            fault = "differs from the profile that this one is made like: leave it out"
            raise InvalidOptionError(fault, subject=option, value=repr(value))
    return adopted


def _check_name(option: str, name: object) -> str | None:
    if name is None or isinstance(name, str):
        return name
    fault = "must be a column's name as text; a column that is not named by text is called by str()"
    raise InvalidOptionError(fault, subject=option, value=repr(name))


def _check_names(names: Iterable[str]) -> tuple[str, ...]:
    if isinstance(names, str) or not isinstance(names, Iterable):
        fault = "must be a list of column names, such as ['id']"
        raise InvalidOptionError(fault, subject="ignore", value=repr(names))
    return tuple(dict.fromkeys(_check_name("ignore", each) or "" for each in names))
