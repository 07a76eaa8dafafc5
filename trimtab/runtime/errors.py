"""The error of a wrong configuration, in a module of its own: settings and files both raise it."""

from trimtab.contracts.errors import ErrorKind, TrimtabError


class BadConfigurationError(TrimtabError):
    """The configuration is wrong: one line for each fault, all of them."""

    kind = ErrorKind.INVALID_INPUT

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self._faults = faults

    @property
    def faults(self) -> list[str]:
        """One line for each fault."""
        return self._faults
