"""Errors of configuration and stack that end a command with a message for people."""

from trimtab.contracts.errors import ErrorKind, TrimtabError
from trimtab.contracts.redaction import redact_passwords


class BadConfigurationError(TrimtabError):
    """The configuration is wrong: one line an error, all of them."""

    kind = ErrorKind.INVALID_INPUT

    def __init__(self, faults: list[str]) -> None:
        self._faults = [redact_passwords(fault) for fault in faults]
        super().__init__("\n".join(self._faults))

    @property
    def faults(self) -> list[str]:
        """One line for each error."""
        return self._faults


class NoTemporalAddressError(BadConfigurationError):
    """No address of Temporal is configured, and no embedded stack runs."""


class StackError(TrimtabError):
    """The embedded stack cannot run; the message names the cause and the remedy."""
