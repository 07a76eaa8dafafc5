"""A profile of a table with all that a later comparison needs to know about the table."""

from collections.abc import Collection, Mapping
from typing import Literal, Self

from trimtab.contracts.base import Record
from trimtab.contracts.comparison import ColumnName
from trimtab.detection.profiles.window_profile import WindowProfile


class ProfileRecord(Record):
    """A table's profile, as it is saved."""

    schema_version: Literal["1"] = "1"
    """Version of this form: fields are added, none renamed or retyped."""
    version: str = ""
    """Version of Trimtab that made it."""
    source: str
    """Where the table came from, without a password."""
    profile: WindowProfile
    left_out: dict[ColumnName, str]
    """Columns that cannot be compared, each with the reason."""
    timestamp: ColumnName | None = None
    """The column with the time of each row."""
    target: ColumnName | None = None
    """The column with what a model predicts."""
    ignored: tuple[ColumnName, ...] = ()
    """Columns that are not compared, as asked."""

    @property
    def names(self) -> set[str]:
        """Every column that the table is known to have."""
        compared = {each.column.name for each in self.profile.columns}
        return {*compared, *self.left_out, *self.ignored, *filter(None, [self.timestamp])}

    def leave_out(self, reasons: Mapping[str, str]) -> Self:
        """Return the profile without these columns, and with the reason for each."""
        kept = self._keep_others(reasons)
        return self.model_copy(update={"profile": kept, "left_out": {**self.left_out, **reasons}})

    def ignore(self, names: Collection[str]) -> Self:
        """Return the profile as if these columns had been ignored from the start."""
        left_out = {name: why for name, why in self.left_out.items() if name not in names}
        ignored = tuple(dict.fromkeys([*self.ignored, *names]))
        kept = self._keep_others(names)
        return self.model_copy(update={"profile": kept, "left_out": left_out, "ignored": ignored})

    def _keep_others(self, names: Collection[str]) -> WindowProfile:
        columns = tuple(each for each in self.profile.columns if each.column.name not in names)
        return self.profile.model_copy(update={"columns": columns})
