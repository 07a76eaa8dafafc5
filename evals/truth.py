"""What is true about a labelled incident: its causes, what may be done, and what must not be."""

from enum import StrEnum
from typing import Final

from trimtab.contracts.base import Name, Record
from trimtab.contracts.deliberation import DATA_CAUSES, Cause
from trimtab.contracts.remediation import Action

TRUE_TARGET: Final = "__true_target__"
"""Column of the targets as they are in the world; no model and no detector sees it."""


class Due(StrEnum):
    """Whether an event must follow the onset."""

    DUE = "due"
    IF_HARMFUL = "if_harmful"
    """Due if the untouched model loses more than the tolerance, otherwise neither due nor wrong."""
    QUIET = "quiet"
    """Nothing is wrong: an event is false."""
    OPTIONAL = "optional"
    """Neither due nor wrong; made of IF_HARMFUL once the loss is known."""


class Truth(Record):
    """The truth about one incident."""

    causes: tuple[tuple[Cause, ...], ...]
    """For each true cause, the names that are right for it, the best one first."""
    actions: tuple[Action, ...]
    """Actions that are right when the incident is first seen."""
    forbidden: tuple[Action, ...] = ()
    """Actions that must not be executed and kept."""
    due: Due = Due.DUE
    onset: int = 0
    """Index of the first watched window that is affected."""
    windows: int | None = None
    """Number of affected windows; None if the change lasts."""

    @property
    def lasting(self) -> bool:
        """Whether the change does not heal."""
        return self.windows is None

    @property
    def names(self) -> frozenset[Cause]:
        """Every cause that may be named."""
        return frozenset(cause for group in self.causes for cause in group)

    def is_affected(self, window: int) -> bool:
        """Return whether the watched window of this index is affected."""
        end = None if self.windows is None else self.onset + self.windows
        return window >= self.onset and (end is None or window < end)

    def score_causes(self, named: tuple[Cause, ...]) -> float:
        """Return 0 if a true cause is not named, else the share of named causes that are true."""
        if not named or any(not set(group) & set(named) for group in self.causes):
            return 0.0
        return sum(cause in self.names for cause in named) / len(named)

    def score_families(self, named: tuple[Cause, ...]) -> float:
        """Return the score of the causes if all kinds of broken data count as one cause."""
        groups = {frozenset(map(_find_family, group)) for group in self.causes}
        families = {_find_family(cause) for cause in named}
        if not families or any(not group & families for group in groups):
            return 0.0
        true = frozenset().union(*groups)
        return len(families & true) / len(families)


class Adjudication(Record):
    """The truth once it is known what the change cost and what each action would have gained."""

    truth: Truth
    loss: float | None
    """Mean loss of the untouched model in affected windows, on true targets; None if unknown."""
    gain: float | None
    """Gain of retraining at the first event over doing nothing; None if unknown."""


class IncidentId(Record):
    """What distinguishes one labelled incident of a suite."""

    table: Name
    kind: Name
    strength: int
    seed: int

    def __str__(self) -> str:
        return f"{self.table}/{self.kind}/{self.strength}/{self.seed}"


def adjudicate_truth(
    truth: Truth, *, loss: float | None, gain: float | None, tolerance: float
) -> Adjudication:
    """Return the truth with what depends on measured losses settled.

    A change that costs less than the tolerance is due for nobody, and may be called harmless and
    left alone. Where retraining gains nothing, waiting is right as well.
    """
    harmless = loss is not None and loss <= tolerance
    idle = (Action.MONITOR, Action.WAIT)
    changes: dict[str, object] = {}
    if truth.due is Due.IF_HARMFUL:
        changes["due"] = Due.OPTIONAL if harmless else Due.DUE
        if harmless:
            changes["causes"] = tuple((*group, Cause.HARMLESS) for group in truth.causes)
            changes["actions"] = tuple(dict.fromkeys((*truth.actions, *idle)))
    useless = gain is not None and gain <= tolerance
    if useless and Action.RETRAIN in truth.actions:
        changes["actions"] = tuple(dict.fromkeys((*truth.actions, *idle)))
    settled = Truth.model_validate({**dict(truth), **changes})
    return Adjudication(truth=settled, loss=loss, gain=gain)


def _find_family(cause: Cause) -> Cause:
    return Cause.DATA_QUALITY if cause in DATA_CAUSES else cause
