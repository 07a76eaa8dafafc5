"""Errors of configuration and stack that end a command with a message for people."""


class BadConfigurationError(Exception):
    """The configuration is wrong: one line an error, all of them."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class StackError(Exception):
    """The embedded stack cannot run; the message names the cause and the remedy."""
