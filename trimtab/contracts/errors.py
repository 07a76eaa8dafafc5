"""The base of every error whose message is written for people, and the kinds of such errors.

It imports nothing heavy: the command line turns errors into messages and exit
codes by their kind, without loading the modules that raise them.
"""

from enum import StrEnum
from typing import ClassVar

from trimtab.contracts.redaction import redact_passwords


class ErrorKind(StrEnum):
    """What an error means for the person who reads it."""

    INVALID_INPUT = "invalid_input"
    """A file, an option or a setting must be corrected first."""
    REFUSED = "refused"
    """A service or a store said no, and would say no again."""
    UNAVAILABLE = "unavailable"
    """A service or a store did not answer: trying again may help."""
    FAILED = "failed"
    """The work ended before its result."""


class TrimtabError(Exception):
    """An error whose message names the thing, its value and the remedy, and never a password."""

    kind: ClassVar[ErrorKind] = ErrorKind.FAILED

    def __init__(self, *arguments: object) -> None:
        super().__init__(
            *(redact_passwords(each) if isinstance(each, str) else each for each in arguments)
        )

    @property
    def faults(self) -> list[str]:
        """The messages: one for each thing that is wrong."""
        return [str(self)]
