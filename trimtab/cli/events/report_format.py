"""The choices of `trimtab events import`: who wrote a report, and how severe its drift is."""

from enum import StrEnum
from typing import Final


class ReportFormat(StrEnum):
    """The software that wrote a report."""

    EVIDENTLY = "evidently"
    NANNYML = "nannyml"
    CLOUDEVENTS = "cloudevents"


class SeverityOption(StrEnum):
    """The names of `contracts.drift.Severity`, which takes longer to import."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


TOOLS: Final = ", ".join(each.value for each in ReportFormat)
LEVELS: Final = ", ".join(each.value for each in SeverityOption)
