"""The error of a configuration that is wrong, for whoever reads or checks one."""


class BadConfigurationError(Exception):
    """The configuration is wrong: one line an error, all of them."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults
