"""What is asked about a table, and the first configuration that is proposed for its model."""

from pydantic import AwareDatetime

from trimtab.contracts.base import Name, Record
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.signature import ModelSignature
from trimtab.detection.onboarding.feature_proposal import ColumnProposal
from trimtab.detection.onboarding.targets import TargetProposal


class InspectionRequest(Record):
    """The table's model and columns, as far as they are known."""

    name: Name
    """Name of the model."""
    dataset: Name
    target: str
    timestamp: str
    signature: ModelSignature | None = None
    """Signature of the registered version to monitor; None if there is none yet."""
    since: AwareDatetime | None = None
    """Earlier rows are ignored: a registered version may have been trained on them."""


class Proposal(Record):
    """A model's first configuration, and what it was derived from."""

    spec: ModelSpec
    columns: tuple[ColumnProposal, ...]
    """Every column but target, timestamp and prediction, in the table's order."""
    target: TargetProposal
    prediction: ColumnProposal | None = None
    """The column with logged predictions; None if there is none."""
    rows: int
    """Rows with a time."""
    counts: tuple[int, ...]
    """Rows in each window from the start."""
    timestamp_format: str
    """How times were written, such as "ISO 8601 text"."""
    period: str = ""
    """ "month", "quarter" or "year" if rows are dated no finer; "" otherwise."""
    signature: ModelSignature | None = None
    """Signature of the registered version; None if there is none yet."""
    warnings: tuple[str, ...] = ()
    """What a person should check before believing the proposal."""


class UnfitTableError(Exception):
    """The table cannot be monitored as it is: all faults, each with its remedy."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults
