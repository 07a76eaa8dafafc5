"""Replies, which a language model wrote, and the records that our code builds from them."""

from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from trimtab.contracts.base import Digest, Fraction, Name, NonNegativeDuration, Record, Reply, Text
from trimtab.contracts.drift import DriftEvent, Severity
from trimtab.contracts.evidence import Citation, EvidenceItem, EvidencePack
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.remediation import Action

RULE_ANALYST: Final = "analyst/rules"
"""Name of the built-in analyst: the default, and the fallback if another analyst fails."""


class Cause(StrEnum):
    """Root causes that the investigator chooses from."""

    DATA_QUALITY = "data_quality"
    """The data broke upstream in another way than the kinds below; the world did not change."""
    UNIT_CHANGE = "unit_change"
    """A column comes in another unit, scale or sign, in all rows or in some."""
    MISSING_VALUES = "missing_values"
    """Values are missing, or a default, a constant or a code stands for them."""
    SCHEMA_CHANGE = "schema_change"
    """A column is gone, has another type, or its categories have other names."""
    STALE_DATA = "stale_data"
    """The feed repeats old rows or old values, or has stopped."""
    PARTIAL_OUTAGE = "partial_outage"
    """Part of the rows, such as whole days or one source, is missing or broken."""
    BROKEN_LABELS = "broken_labels"
    """The targets are wrong, swapped, or not known yet; the inputs are fine."""
    COVARIATE_SHIFT = "covariate_shift"
    """The inputs moved; their relation to the target holds."""
    LABEL_SHIFT = "label_shift"
    """The target's distribution moved."""
    CONCEPT_DRIFT = "concept_drift"
    """The relation between inputs and target changed."""
    NEW_SEGMENT = "new_segment"
    """Rows of a kind that the champion has not learnt from, beside those that it knows."""
    SEASONALITY = "seasonality"
    """A recurring pattern that the reference does not cover."""
    BAD_RELEASE = "bad_release"
    """The champion itself is worse than an earlier version."""
    NO_SKILL = "no_skill"
    """The champion was hardly better than a trivial model from the start."""
    DETECTOR_ARTEFACT = "detector_artefact"
    """Nothing happened: the window is too small or too odd for the measurement."""
    HARMLESS = "harmless"
    """Something moved, but the model's performance is fine."""
    UNKNOWN = "unknown"
    """What would show the cause could not be measured."""


DATA_CAUSES: Final = frozenset(
    {
        Cause.DATA_QUALITY,
        Cause.UNIT_CHANGE,
        Cause.MISSING_VALUES,
        Cause.SCHEMA_CHANGE,
        Cause.STALE_DATA,
        Cause.PARTIAL_OUTAGE,
        Cause.BROKEN_LABELS,
    }
)
"""Causes that are mended at the data's source, and from which no model may learn."""


class TriageReply(Reply):
    """The coordinator's first look."""

    severity: Severity
    focus: list[Annotated[str, StringConstraints(max_length=200)]] = Field(max_length=5)
    """Columns worth a closer look."""
    question: str = Field(max_length=600)
    """Question that the investigator should answer."""


class Hypothesis(Reply):
    """One possible cause and how likely it is thought to be."""

    cause: Cause
    likelihood: Fraction


class RootCauseReply(Reply):
    """The investigator's answer."""

    cause: Cause
    also: list[Cause] = Field(default=[], max_length=2)
    """Causes that are at work as well."""
    hypotheses: list[Hypothesis] = Field(min_length=1, max_length=17)
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
    """The recommended option."""
    target_version: str | None = Field(default=None, max_length=32)
    """For a rollback: the version to return to."""
    options: list[OptionReply] = Field(min_length=1, max_length=5)
    citations: list[Citation] = Field(max_length=8)
    confidence: Fraction


class ReviewReply(Reply):
    """The coordinator's last look at cause and plan together."""

    agrees: bool
    concerns: list[Annotated[str, StringConstraints(max_length=2000)]] = Field(max_length=5)
    summary: str = Field(max_length=800)
    """Summary for the person on call."""
    confidence: Fraction


class Triage(Record):
    """The coordinator's triage."""

    severity: Severity
    focus: tuple[Name, ...]
    question: Text


class RootCause(Record):
    """The root cause, as built from the investigator's reply."""

    cause: Cause
    also: tuple[Cause, ...] = ()
    """Causes that are at work as well; empty for a single cause."""
    hypotheses: tuple[tuple[Cause, float], ...]
    """Causes with their likelihoods, the most likely first; the likelihoods sum to 1."""
    citations: tuple[Citation, ...]
    explanation: Text
    self_reported: Fraction


class PlanOption(Record):
    """One possible action, with its cost from the model's configuration."""

    action: Action
    rationale: Text
    benefit: Text
    risk: Text
    cost: Decimal
    """Cost in the model's currency; never a figure that a language model claims."""


class RemediationPlan(Record):
    """The proposed action. Grants and approvals are bound to its digest, the plan hash."""

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
    """The coordinator's review of cause and plan."""

    agrees: bool
    concerns: tuple[Text, ...]
    summary: Text
    self_reported: Fraction


class Usage(Record):
    """Calls and tokens that one deliberation used."""

    calls: int = 0
    tool_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0


class DeliberationInput(Record):
    """Input of `DeliberationWorkflow`."""

    event: DriftEvent
    spec: ModelSpec
    pack: EvidencePack
    analyst: str
    """Name of the model that is asked: "analyst/rules", "ollama/…" or "gemini-…"."""
    call_timeout: NonNegativeDuration = timedelta(seconds=60)
    """Timeout of one call of the language model; a call is tried three times."""
    rules_answer_locally: bool = False
    """Whether `analyst/rules` answers in the worker that runs the workflow. Deliberations that are
    older than that replay without it."""


class Deliberation(Record):
    """Conclusions of the agents."""

    triage: Triage
    root_cause: RootCause
    plan: RemediationPlan
    plan_hash: Digest
    review: Review
    inspected: tuple[EvidenceItem, ...] = ()
    """Evidence that the investigator's tools found; it can be cited like the pack."""
    analyst: str
    """Name of the model that answered."""
    usage: Usage = Usage()
