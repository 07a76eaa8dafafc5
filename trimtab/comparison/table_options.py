"""What a caller says about the columns of the tables, and whether it can be so."""

from collections.abc import Callable, Collection, Iterable
from typing import NamedTuple

from trimtab.comparison.errors import InvalidOptionError
from trimtab.comparison.profile_record import ProfileRecord
from trimtab.comparison.table_columns import format_columns


class TableOptions(NamedTuple):
    """What a caller says about the columns of the tables."""

    timestamp: str | None = None
    """The column with the time of each row."""
    target: str | None = None
    """The column with what a model predicts."""
    ignored: tuple[str, ...] = ()
    """Columns that are not compared."""

    @property
    def names(self) -> set[str]:
        """The columns that are mentioned."""
        return {name for name in (self.timestamp, self.target, *self.ignored) if name is not None}


def merge_options(options: TableOptions, profiles: Iterable[ProfileRecord]) -> TableOptions:
    """Return the options that hold for saved profiles too.

    What is not given is taken from the profiles. Raises `InvalidOptionError` if a profile was made
    with another timestamp or target: what it lacks cannot be added.
    """
    records = list(profiles)
    ignored = [*options.ignored, *(name for each in records for name in each.ignored)]
    return TableOptions(
        _merge_option("timestamp", options.timestamp, [each.timestamp for each in records]),
        _merge_option("target", options.target, [each.target for each in records]),
        tuple(dict.fromkeys(ignored)),
    )


def _merge_option(name: str, given: str | None, saved: Iterable[str | None]) -> str | None:
    """Return an option's value, which saved profiles may have; raise an error if they differ."""
    values = list(saved)
    value = next((each for each in [given, *values] if each is not None), None)
    for each in values:
        if each != value:
            made = f"with {name}={each!r}" if each else f"without a {name}"
            fault = f"a saved profile was made {made}: profile its table with {name}={value!r}"
            raise InvalidOptionError(fault, subject=name, value=repr(value))
    return value


def check_table_options(
    options: TableOptions, known: Collection[str], *, table: str = "the table"
) -> None:
    """Raise `InvalidOptionError` unless the table has the timestamp and the target.

    `known` are its columns. The target may not be ignored, nor be the timestamp.
    """
    for name, column in (("timestamp", options.timestamp), ("target", options.target)):
        if column == "":
            fault = "is no column's name: name one, or leave the option out"
            raise InvalidOptionError(fault, subject=name, value="''")
        if column is not None and column not in known:
            fault = f"{table} has no such column; it has {format_columns(known)}"
            raise InvalidOptionError(fault, subject=name, value=repr(column))
    if options.target is not None and options.target in (options.timestamp, *options.ignored):
        fault = "is ignored, or the timestamp, too: name it once"
        raise InvalidOptionError(fault, subject="target", value=repr(options.target))


def check_options(
    options: TableOptions, known: Collection[str], read_current: Callable[[], Collection[str]]
) -> None:
    """Raise `InvalidOptionError` unless every column that is mentioned exists.

    `known` are the columns of the reference. Those of the current table are read only if needed.
    """
    check_table_options(options, known, table="the reference")
    unknown = [name for name in options.ignored if name not in known]
    if not unknown and options.timestamp is None:
        return
    present = read_current()
    for name in unknown:
        if name not in present:
            there = format_columns({*known, *present})
            fault = f"neither table has such a column; there are {there}"
            raise InvalidOptionError(fault, subject="ignore", value=repr(name))
    if options.timestamp is not None and options.timestamp not in present:
        fault = f"the current table has no such column; it has {format_columns(present)}"
        raise InvalidOptionError(fault, subject="timestamp", value=repr(options.timestamp))
