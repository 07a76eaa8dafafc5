"""A freeze: the switch with which a person stops every action on a model, or on all models."""

from pydantic import AwareDatetime, field_validator

from trimtab.contracts.base import Name, Record, Text


class Freeze(Record):
    """A freeze that is in force; workers read it before every effect."""

    model: Name | None = None
    """The model that is frozen; None if all models are."""
    reason: Text = ""
    by: str = ""
    """The user who froze it, as the machine names them."""
    at: AwareDatetime | None = None
    """None if the registry's tag cannot be read: the freeze is in force all the same."""

    @field_validator("reason", "by")
    @classmethod
    def _replace_control_characters(cls, text: str) -> str:
        """Return one line that cannot command a terminal, for it is shown on pages."""
        return " ".join("".join(each if each.isprintable() else " " for each in text).split())

    def __str__(self) -> str:
        """Return the freeze as a clause."""
        thing = "every model is frozen" if self.model is None else f"{self.model} is frozen"
        since = f" since {self.at:%Y-%m-%d %H:%M} UTC" if self.at else ""
        by = f" by {self.by}" if self.by else ""
        return f"{thing}{since}{by}" + (f": {self.reason}" if self.reason else "")
