"""A profile of a table: small, mergeable, and enough to compare the table again later."""

from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import ValidationError

from trimtab.comparison.errors import InvalidOptionError, InvalidProfileError
from trimtab.comparison.profile_record import ProfileRecord
from trimtab.contracts.drift import FeatureKind
from trimtab.contracts.validation_errors import format_validation_errors
from trimtab.detection.profiles.consistency import find_inconsistency
from trimtab.detection.profiles.merging import merge_windows
from trimtab.files.atomic_file import write_atomically

if TYPE_CHECKING:  # half a second to import, and a comparison needs none of it
    import pandas as pd


class TableProfile:
    """What `trimtab.profile` returns: counts of a table's values, without its rows."""

    __slots__ = ("_record",)

    def __init__(self, record: ProfileRecord) -> None:
        self._record = record

    @property
    def record(self) -> ProfileRecord:
        """The profile as a record, as it is saved."""
        return self._record

    @property
    def rows(self) -> int:
        """How many rows were counted."""
        return self._record.profile.window.rows

    @property
    def source(self) -> str:
        """Where the table came from, without a password."""
        return self._record.source

    @property
    def left_out(self) -> dict[str, str]:
        """Columns that cannot be compared, each with the reason."""
        return dict(self._record.left_out)

    @property
    def columns(self) -> "pd.DataFrame":
        """One row for each column that can be compared.

        The columns are `column`, `kind` ("numeric" or "categorical"), `role` ("feature" or
        "target"), `missing` (share of the rows, 0 to 1), `unreadable` (values of a numeric column
        that are no finite numbers), `mean`, `std`, `minimum`, `maximum` (numeric columns only) and
        `most_frequent` (categorical columns only).
        """
        from trimtab.comparison.column_frames import list_profiles  # noqa: PLC0415 - imports pandas

        return list_profiles(self._record.profile)

    def merge(self, other: "TableProfile") -> "TableProfile":
        """Return the profile of both tables together, such as of two partitions.

        Counts add up exactly; means and deviations up to rounding. Both must be counted over the
        same bins: make the other one with `trimtab.profile(table, like=first)`. Raises
        `InvalidProfileError` if they are not.
        """
        if not isinstance(other, TableProfile):
            fault = "must be a profile that trimtab.profile made"
            raise InvalidOptionError(fault, subject="other", value=type(other).__name__)
        mine, theirs = self._record, other.record
        differing = [
            name
            for name in ("timestamp", "target", "ignored")
            if getattr(mine, name) != getattr(theirs, name)
        ]
        if differing:
            fault = f"differs in {', '.join(differing)}: profile both tables alike"
            raise InvalidProfileError(fault, subject="profile", value=f"({theirs.source})")
        try:
            merged = merge_windows(mine.profile, theirs.profile)
        except ValueError:
            fault = (
                f"was not counted over the bins of the profile of {mine.source}: make it with"
                " trimtab.profile(table, like=FIRST_PROFILE)"
            )
            raise InvalidProfileError(
                fault, subject="profile", value=f"({theirs.source})"
            ) from None
        sources = dict.fromkeys([mine.source, theirs.source])
        update = {"profile": merged, "source": " + ".join(sources)}
        return TableProfile(mine.model_copy(update=update))

    def __add__(self, other: "TableProfile") -> "TableProfile":
        """Return the profile of both tables together: see `merge`."""
        if not isinstance(other, TableProfile):
            return NotImplemented
        return self.merge(other)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TableProfile) and self._record == other.record

    __hash__ = None  # type: ignore[assignment]  # equal by value

    def to_json(self) -> str:
        """Return the profile as JSON, as `save` writes it."""
        return self._record.model_dump_json()

    def save(self, path: str | PathLike[str]) -> None:
        """Write the profile to a file, whole or not at all; `trimtab.load_profile` reads it.

        Raises `OSError` if the file cannot be written.
        """
        write_atomically(Path(path), self.to_json() + "\n")

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Self:
        """Return the profile in a file that `save` wrote.

        Raises `InvalidProfileError` if the file holds none, or one whose figures contradict each
        other, and `OSError` if it cannot be read.
        """
        try:
            record = ProfileRecord.model_validate_json(Path(path).read_bytes())
            said = find_inconsistency(record.profile)
        except ValidationError as error:
            said = format_validation_errors(error, whole="the file", max_value_length=0)[0]
        if said:
            fault = (
                f"holds no profile that this version reads ({said}): write it again with"
                " trimtab.profile(table).save(path)"
            )
            raise InvalidProfileError(fault, subject="profile", value=repr(fspath(path)))
        return cls(record)

    def __repr__(self) -> str:
        """Return the table's name, its rows and its columns."""
        numeric = [
            each for each in self._record.profile.columns if each.column.kind is FeatureKind.NUMERIC
        ]
        count = len(self._record.profile.columns)
        return (
            f"<TableProfile of {self.source}: {self.rows:,} rows, {len(numeric):,} numeric and"
            f" {count - len(numeric):,} categorical columns, {len(self.left_out):,} left out>"
        )
