"""Builds what we hold from what a model said: a record never inherits a model's word unchecked.

Focus is kept to columns that exist, likelihoods are made to sum to 1, prices come from the
model's configuration, a version to go back to must be one that the evidence knows, and words that
people will read hold nothing that a terminal would obey.
"""

import re
import unicodedata
from decimal import Decimal
from typing import Final

from agents.case import Case
from trimtab.contracts.deliberation import (
    Cause,
    PlanOption,
    PlanReply,
    RemediationPlan,
    Review,
    ReviewReply,
    RootCause,
    RootCauseReply,
    Triage,
    TriageReply,
)
from trimtab.contracts.drift import FeatureRole
from trimtab.contracts.model import Costs
from trimtab.contracts.remediation import Action

_CONCERN_LENGTH = 1000
_VERSION: Final = re.compile(r"\s*(?:version[\s-]*|v)?(\d+)\s*", re.IGNORECASE)


class BadReplyError(ValueError):
    """A reply fits its schema but cannot be acted on: says what is wrong with it."""


def triage(reply: TriageReply, case: Case) -> Triage:
    """What the coordinator asks for, of columns that exist; the worst ones where it names none."""
    named = tuple(dict.fromkeys(name for name in reply.focus if name in case.columns))
    return Triage(
        severity=reply.severity,
        focus=named or _worst_columns(case),
        question=_plain(reply.question),
    )


def root_cause(reply: RootCauseReply, _case: Case) -> RootCause:
    """The cause, with each hypothesis once, most likely first, summing to 1."""
    claimed: dict[Cause, float] = {reply.cause: 0.0}
    for hypothesis in reply.hypotheses:
        claimed[hypothesis.cause] = max(claimed.get(hypothesis.cause, 0.0), hypothesis.likelihood)
    total = sum(claimed.values())
    if total <= 0.0:
        msg = "every hypothesis has likelihood 0: give each one a share above 0"
        raise BadReplyError(msg)
    shares = ((cause, value / total) for cause, value in claimed.items())
    return RootCause(
        cause=reply.cause,
        hypotheses=tuple(sorted(shares, key=lambda pair: -pair[1])),
        citations=tuple(reply.citations),
        explanation=_plain(reply.explanation),
        self_reported=reply.confidence,
    )


def plan(reply: PlanReply, case: Case) -> RemediationPlan:
    """The plan, priced by the model's configuration.

    Raises:
        BadReplyError: for a rollback to the champion or to a version that no evidence speaks of.
    """
    assert case.root_cause is not None  # noqa: S101 - the graph plans after it has found a cause
    costs = case.data.spec.costs
    return RemediationPlan(
        event_id=case.data.event.id,
        model=case.data.spec.name,
        action=reply.action,
        target_version=_target(reply, case),
        champion_version=case.data.pack.champion_version,
        cause=case.root_cause.cause,
        cost=price(reply.action, costs),
        currency=costs.currency,
        options=tuple(
            PlanOption(
                action=option.action,
                rationale=_plain(option.rationale),
                benefit=_plain(option.benefit),
                risk=_plain(option.risk),
                cost=price(option.action, costs),
            )
            for option in reply.options
        ),
        citations=tuple(reply.citations),
        self_reported=reply.confidence,
    )


def review(reply: ReviewReply, _case: Case) -> Review:
    """The coordinator's verdict."""
    return Review(
        agrees=reply.agrees,
        concerns=tuple(_plain(concern)[:_CONCERN_LENGTH] for concern in reply.concerns),
        summary=_plain(reply.summary),
        self_reported=reply.confidence,
    )


def price(action: Action, costs: Costs) -> Decimal:
    """What an action costs: never what a language model claims."""
    return {
        Action.MONITOR: Decimal(0),
        Action.RETRAIN: costs.retraining,
        Action.ROLL_BACK: costs.rollback,
    }[action]


def _plain(text: str) -> str:
    """The text in one line, without what a terminal would obey or a reader not see."""
    visible = (each if unicodedata.category(each)[0] != "C" else " " for each in text)
    return " ".join("".join(visible).split())


def _worst_columns(case: Case) -> tuple[str, ...]:
    moved = sorted(case.data.event.data.features, key=lambda each: (not each.drifted, -each.psi))
    known = [each.name for each in moved if each.role is not FeatureRole.PREDICTION]
    return tuple(name for name in known if name in case.columns)[:1]


def _target(reply: PlanReply, case: Case) -> str | None:
    if reply.action is not Action.ROLL_BACK:
        return None
    match = _VERSION.fullmatch(reply.target_version or "")
    version = match.group(1) if match else None
    candidates = [each for each in case.known_versions if each != case.data.pack.champion_version]
    if version not in candidates:
        msg = (
            f"target_version {reply.target_version!r} is none of the versions to go back to: "
            f"{', '.join(candidates) or 'there are none'}"
        )
        raise BadReplyError(msg)
    return version
