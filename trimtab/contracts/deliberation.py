"""What the agents say (`*Reply`, written by a model) and what we hold of it (records)."""

from datetime import timedelta
from decimal import Decimal
from enum import StrEnum

from pydantic import Field

from trimtab.contracts.base import Digest, Fraction, Name, NonNegativeDuration, Record, Reply, Text
from trimtab.contracts.drift import DriftEvent, Severity
from trimtab.contracts.evidence import Citation, EvidenceItem, EvidencePack
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.remediation import Action


class Cause(StrEnum):
    """Root causes the investigator chooses among."""

    DATA_QUALITY = "data_quality"
    """The window is corrupt: broken upstream, not a changed world."""
    COVARIATE_SHIFT = "covariate_shift"
    """The inputs moved; the relation to the target holds."""
    LABEL_SHIFT = "label_shift"
    """The target's distribution moved."""
    CONCEPT_DRIFT = "concept_drift"
    """The relation between inputs and target changed."""
    SEASONALITY = "seasonality"
    """A recurring pattern that the reference does not cover."""
    BAD_RELEASE = "bad_release"
    """The champion itself is worse than an earlier version."""
    HARMLESS = "harmless"
    """Something moved, but the model does its work."""
    UNKNOWN = "unknown"


class TriageReply(Reply):
    """The coordinator's first look."""

    severity: Severity
    focus: list[str] = Field(max_length=5)
    """Columns worth a closer look."""
    question: str = Field(max_length=600)
    """What the investigator should find out."""


class Hypothesis(Reply):
    """One possible cause and how likely it is thought to be."""

    cause: Cause
    likelihood: Fraction


class RootCauseReply(Reply):
    """The investigator's answer."""

    cause: Cause
    hypotheses: list[Hypothesis] = Field(min_length=1, max_length=8)
    citations: list[Citation] = Field(max_length=8)
    explanation: str = Field(max_length=1500)
    confidence: Fraction


class OptionReply(Reply):
    """One thing that could be done."""

    action: Action
    rationale: str = Field(max_length=600)
    benefit: str = Field(max_length=300)
    risk: str = Field(max_length=300)


class PlanReply(Reply):
    """The strategist's answer."""

    action: Action
    """The option recommended."""
    target_version: str | None = Field(default=None, max_length=32)
    """For a rollback: the version to go back to."""
    options: list[OptionReply] = Field(min_length=1, max_length=5)
    citations: list[Citation] = Field(max_length=8)
    confidence: Fraction


class ReviewReply(Reply):
    """The coordinator's last look at cause and plan together."""

    agrees: bool
    concerns: list[str] = Field(max_length=5)
    summary: str = Field(max_length=800)
    """For the person on call."""
    confidence: Fraction


class Triage(Record):
    """What the coordinator asked for."""

    severity: Severity
    focus: tuple[Name, ...]
    question: Text


class RootCause(Record):
    """The cause as we hold it."""

    cause: Cause
    hypotheses: tuple[tuple[Cause, float], ...]
    """Most likely first; likelihoods normalised to sum 1."""
    citations: tuple[Citation, ...]
    explanation: Text
    self_reported: Fraction


class PlanOption(Record):
    """One thing that could be done, with its price from the model's configuration."""

    action: Action
    rationale: Text
    benefit: Text
    risk: Text
    cost: Decimal
    """In the model's currency; never what a language model claims."""


class RemediationPlan(Record):
    """What is proposed; its digest is the plan hash that grants and approvals are bound to."""

    event_id: Name
    model: Name
    action: Action
    target_version: str | None = None
    champion_version: str | None = None
    cause: Cause
    cost: Decimal
    currency: str
    options: tuple[PlanOption, ...]
    citations: tuple[Citation, ...]
    self_reported: Fraction


class Review(Record):
    """The coordinator's verdict on the others' work."""

    agrees: bool
    concerns: tuple[Text, ...]
    summary: Text
    self_reported: Fraction


class Usage(Record):
    """What the model calls of one deliberation used."""

    calls: int = 0
    tool_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0


class DeliberationInput(Record):
    """What the child workflow is started with."""

    event: DriftEvent
    spec: ModelSpec
    pack: EvidencePack
    analyst: str
    """Model name: "analyst/rules", "ollama/…" or "gemini-…"."""
    call_timeout: NonNegativeDuration = timedelta(seconds=60)
    """For one call of the language model; it is tried three times."""


class Deliberation(Record):
    """Everything the agents concluded."""

    triage: Triage
    root_cause: RootCause
    plan: RemediationPlan
    plan_hash: Digest
    review: Review
    inspected: tuple[EvidenceItem, ...] = ()
    """What the investigator's tools brought to light; citable like the pack."""
    analyst: str
    """Which model answered."""
    usage: Usage = Usage()
