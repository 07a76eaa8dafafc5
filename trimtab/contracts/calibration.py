"""How the confidence is computed from what was measured: the frozen result of a fit."""

from typing import Annotated

from pydantic import Field

from trimtab.contracts.base import Count, Name, Record

Weight = Annotated[float, Field(ge=0.0, le=100.0)]
"""A weight is never negative: more of what speaks for a plan never lowers the confidence."""


class ConfidenceCalibration(Record):
    """A logistic regression of "cause and action are right" on checkable parts, each 0 to 1.

    `trimtab evals calibrate` fits it on labelled incidents, and writes conf/base/calibration.yml.
    """

    version: Name = "by-hand"
    """Name of the fit; its date and the first letters of the code's digest."""
    incidents: Count = 0
    """Number of labelled incidents that it was fitted on; 0 for weights set by hand."""
    intercept: float = -4.0
    weights: dict[Name, Weight] = Field(
        default_factory=lambda: {
            "likelihood": 2.5,
            "lead": 1.0,
            "fitness": 3.0,
            "certainty": 1.0,
            "labels": 0.5,
            "record": 0.5,
        }
    )
    """Weight of each part in log-odds; a part that is not named counts for nothing."""
