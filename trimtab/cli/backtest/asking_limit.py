"""Which incident of a backtest a stricter policy would have asked a person about."""

import math
from collections.abc import Sequence

from trimtab.contracts.decision import Verdict
from trimtab.contracts.report import IncidentSummary


def find_unasked_incident(incidents: Sequence[IncidentSummary]) -> IncidentSummary | None:
    """Return the first executed incident, or None if any incident asked a person."""
    if any(incident.verdict is Verdict.ESCALATE for incident in incidents):
        return None
    executed = (one for one in incidents if one.verdict is Verdict.EXECUTE and one.confidence)
    return next(executed, None)


def compute_asking_limit(incident: IncidentSummary) -> float:
    """Return the least `confidence_above`, in hundredths, that would ask about its plan."""
    return math.ceil((incident.confidence or 0.0) * 100) / 100
