"""Errors about tables and options: each names the thing, its value and the remedy."""

from trimtab.contracts.errors import ErrorKind, TrimtabError


class InvalidInputError(TrimtabError, ValueError):
    """A table or an option that cannot be used."""

    kind = ErrorKind.INVALID_INPUT

    def __init__(self, fault: str, *, subject: str = "", value: str = "") -> None:
        super().__init__(fault)
        self.fault = fault
        """What is wrong, and the remedy."""
        self.subject = subject
        """The argument: "reference", "current", "table", or an option such as "min_psi"."""
        self.value = value
        """The argument's value as it is shown: never with a password."""

    def __str__(self) -> str:
        return f"{self.subject}={self.value}: {self.fault}"


class InvalidOptionError(InvalidInputError):
    """An option that cannot be used with these tables."""


class InvalidTableError(InvalidInputError):
    """A table that cannot be read or compared."""

    def __str__(self) -> str:
        return f"{self.subject} {self.value}: {self.fault}"


class UnsupportedTableError(InvalidTableError, TypeError):
    """An object that is no table."""


class InvalidProfileError(InvalidTableError):
    """A saved profile that cannot be read, merged or compared."""
