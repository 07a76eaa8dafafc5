"""Builds records from what a language model replied, and believes no reply unchecked.

Focus is limited to columns that exist, likelihoods are scaled to sum to 1, costs come from the
model's configuration, a rollback's target must be a former champion that is better on the newest
rows, and text for people holds nothing that a terminal would execute.
"""

import re
from typing import Final

from agents.case import Case
from policies.costs import compute_cost
from policies.rollback import list_fit_targets
from trimtab.contracts.base import clean_text
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
from trimtab.contracts.remediation import Action

_MAX_CONCERN_LENGTH = 1000
_VERSION: Final = re.compile(r"\s*(?:version[\s-]*|v)?(\d+)\s*", re.IGNORECASE)
"""Ways in which a language model may write a version's number."""


class BadReplyError(ValueError):
    """A reply that fits its schema but cannot be acted on; the message says what is wrong."""


def build_triage(reply: TriageReply, case: Case) -> Triage:
    """Return the triage, focused on columns that exist; on the worst ones if it names none."""
    named = tuple(dict.fromkeys(name for name in reply.focus if name in case.columns))
    return Triage(
        severity=reply.severity,
        focus=named or _select_worst_column(case),
        question=clean_text(reply.question),
    )


def build_root_cause(reply: RootCauseReply, _case: Case) -> RootCause:
    """Return the cause with each hypothesis once, the most likely first, summing to 1.

    Raises:
        BadReplyError: Every hypothesis has likelihood 0.
    """
    claimed: dict[Cause, float] = {reply.cause: 0.0}
    for hypothesis in reply.hypotheses:
        claimed[hypothesis.cause] = max(claimed.get(hypothesis.cause, 0.0), hypothesis.likelihood)
    total = sum(claimed.values())
    if total <= 0.0:
        msg = "every hypothesis has likelihood 0: give each one a likelihood above 0"
        raise BadReplyError(msg)
    likelihoods = ((cause, value / total) for cause, value in claimed.items())
    return RootCause(
        cause=reply.cause,
        also=tuple(dict.fromkeys(each for each in reply.also if each is not reply.cause)),
        hypotheses=tuple(sorted(likelihoods, key=lambda pair: -pair[1])),
        citations=tuple(reply.citations),
        explanation=clean_text(reply.explanation),
        self_reported=reply.confidence,
    )


def build_plan(reply: PlanReply, case: Case) -> RemediationPlan:
    """Return the plan, with costs from the model's configuration.

    Raises:
        BadReplyError: The plan rolls back to a version that is no fit target by the evidence, or
            there is no root cause to plan for.
    """
    if case.root_cause is None:
        msg = "there is no root cause to plan for"
        raise BadReplyError(msg)
    costs = case.data.spec.costs
    return RemediationPlan(
        event_id=case.data.event.id,
        model=case.data.spec.name,
        action=reply.action,
        target_version=_choose_target(reply, case),
        champion_version=case.data.pack.champion_version,
        cause=case.root_cause.cause,
        cost=compute_cost(reply.action, costs),
        currency=costs.currency,
        options=tuple(
            PlanOption(
                action=option.action,
                rationale=clean_text(option.rationale),
                benefit=clean_text(option.benefit),
                risk=clean_text(option.risk),
                cost=compute_cost(option.action, costs),
            )
            for option in reply.options
        ),
        citations=tuple(reply.citations),
        self_reported=reply.confidence,
    )


def build_review(reply: ReviewReply, _case: Case) -> Review:
    """Return the coordinator's review."""
    return Review(
        agrees=reply.agrees,
        concerns=tuple(clean_text(concern)[:_MAX_CONCERN_LENGTH] for concern in reply.concerns),
        summary=clean_text(reply.summary),
        self_reported=reply.confidence,
    )


def _select_worst_column(case: Case) -> tuple[str, ...]:
    moved = sorted(case.data.event.data.features, key=lambda each: (not each.drifted, -each.psi))
    known = [each.name for each in moved if each.role is not FeatureRole.PREDICTION]
    return tuple(name for name in known if name in case.columns)[:1]


def _choose_target(reply: PlanReply, case: Case) -> str | None:
    """Return the version to roll back to, or None for any other action."""
    if reply.action is not Action.ROLL_BACK:
        return None
    match = _VERSION.fullmatch(reply.target_version or "")
    version = match.group(1) if match else None
    candidates = list_fit_targets(case.data.pack, margin=case.data.spec.promotion_margin)
    if version not in candidates:
        msg = (
            f"target_version {reply.target_version!r} is none of the versions to return to: "
            f"{', '.join(candidates) or 'there are none'}"
        )
        raise BadReplyError(msg)
    return version
