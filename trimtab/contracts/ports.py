"""Interfaces that activities are built from: each port is one thing outside of Trimtab.

Async methods can be cancelled; the others block and are called from threads. Every port raises
`Unavailable` if another attempt may help, and `Refused` if it cannot.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from pydantic import JsonValue

from trimtab.contracts.approval import ApprovalRequest
from trimtab.contracts.audit import AuditAppend, AuditLine, ChainEnd
from trimtab.contracts.budget import LedgerFacts, Reservation, UsageQuery
from trimtab.contracts.decision import Limits
from trimtab.contracts.drift import DriftEvent
from trimtab.contracts.errors import ErrorKind, TrimtabError
from trimtab.contracts.evidence import (
    ChallengerPreview,
    Document,
    MeasuredVersions,
    RecalledDocuments,
)
from trimtab.contracts.freeze import Freeze
from trimtab.contracts.incident import IncidentReport
from trimtab.contracts.model import ModelSpec, ModelVersion
from trimtab.contracts.notice import NoticeDelivery, NoticeKind, PageMark
from trimtab.contracts.reconciliation import ComparedLog, IncidentWorkflow
from trimtab.contracts.remediation import GrantClaims, RemediationInput

SealedRecord = MeasuredVersions | RecalledDocuments | ChallengerPreview
"""What a worker seals."""


class Unavailable(TrimtabError):  # noqa: N818 - histories and logs hold the name
    """Error of a port that cannot be reached or is busy: another attempt may help."""

    kind = ErrorKind.UNAVAILABLE


class Refused(TrimtabError):  # noqa: N818 - histories and logs hold the name
    """Error of a port that will refuse the same request again."""

    kind = ErrorKind.REFUSED


class ChampionMovedError(Refused):
    """Error of a plan whose champion somebody else has replaced since the decision."""


class NoChampionError(Refused):
    """Error of a registry in which no version of the model has the alias `champion`."""


class ModelRegistry(Protocol):
    """The model registry (MLflow)."""

    def champion(self, model: str) -> ModelVersion | None:
        """Return the version that the alias `champion` points at, or None."""

    def versions(self, model: str, *, limit: int = 10) -> tuple[ModelVersion, ...]:
        """Return the newest versions, newest first."""

    def find_version(self, model: str, *, key: str) -> ModelVersion | None:
        """Return the version that carries the effect key, or None: search before create."""

    def set_champion(self, model: str, version: str, *, expected: str | None, key: str) -> bool:
        """Point `champion` at `version` if it points at `expected` now.

        Returns False if an earlier attempt with the same key has already done so. Raises `Refused`
        if the champion is neither `expected` nor the result of that attempt.
        """

    def mark_verified(self, model: str, version: str, *, key: str) -> None:
        """Note on the version that the plan with this key was verified: it is not undone."""

    def record_incident(self, report: IncidentReport) -> None:
        """Record the incident as a run with its correlation id, verdict, ending and audit tip."""

    def is_recorded(self, model: str, incident: str) -> bool:
        """Return whether the incident is recorded, as each one is once it has ended."""

    def last_action_at(self, model: str) -> datetime | None:
        """Return `acted_at` of the model's newest recorded incident that acted, or None."""

    def keep_audit_head(self, head: ChainEnd) -> None:
        """Keep the end of the audit log's chain of heads, unless a longer one is kept."""

    def audit_tips(self, model: str | None = None) -> Mapping[str, str]:
        """Return the audit tip of every recorded incident by event id."""

    def freeze(self, model: str) -> Freeze | None:
        """Return the freeze of all models or of this model, or None; read before every effect."""


class Ledger(Protocol):
    """What was done so far on all models, derived from the audit log."""

    def read(self, query: UsageQuery) -> LedgerFacts:
        """Return what was done so far; the incident's own plan is not counted."""

    def reserve(
        self, reservation: Reservation, query: UsageQuery, *, check: Callable[[LedgerFacts], None]
    ) -> LedgerFacts:
        """Reserve an action in one step with its check, and return what was done before it.

        No other action is reserved between the reading and the writing. `check` raises `Refused`
        if the action must not be reserved. The same reservation again replaces the first one.
        """


class PipelineRunner(Protocol):
    """Runs Kedro pipelines, each in a process of its own."""

    async def run(self, pipeline: str, params: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """Run a pipeline and return its free outputs; a cancellation ends the process."""


class KnowledgeBase(Protocol):
    """Runbooks and past incidents, searched by meaning (Chroma)."""

    def search(self, query: str, *, limit: int = 5) -> tuple[Document, ...]:
        """Return the nearest documents, best first."""

    def document(self, document_id: str) -> Document | None:
        """Return one whole document, or None."""

    def remember(self, report: IncidentReport, *, document_id: str) -> None:
        """Add the incident's outcome; the same id again replaces it."""


class AuditLog(Protocol):
    """The append-only log of one deployment."""

    def append(self, request: AuditAppend) -> ChainEnd:
        """Chain, write and fsync the entries, and return where the chain ends with them.

        The same request again changes nothing, at whatever time it was made. Other entries for the
        same place follow a line that names the conflict. Raises `Refused` if the chain does not
        hold the tip.
        """

    def lines(self, incident: str, *, model: str | None = None) -> Sequence[AuditLine]:
        """Return all lines of one incident, oldest first.

        The model distinguishes incidents that share an id.
        """


class EvidenceSeal(Protocol):
    """Marks what a worker of ours measured, so that nobody else's figures are taken for it."""

    def sign(self, record: SealedRecord) -> str:
        """Return the seal over every field of the record but its own seal."""

    def check(self, record: SealedRecord) -> bool:
        """Return whether the record carries that seal."""


class EventPublishers(Protocol):
    """The public keys of those whose events may lead to an action."""

    def find_publisher(self, event: DriftEvent) -> str:
        """Return the name of the publisher who signed exactly this event; empty for none."""


class ConfigurationArchive(Protocol):
    """The deployment's own policy and model specifications, those in force and earlier ones."""

    def find_limits(self, policy_hash: str, *, began_at: datetime) -> Limits:
        """Return the limits of that hash.

        Raises `Refused` unless they were in force when the incident began.
        """

    def find_spec(self, model: str, spec_hash: str, *, began_at: datetime) -> ModelSpec:
        """Return the model's specification of that hash.

        Raises `Refused` unless it was in force when the incident began.
        """


class AbandonedChains(Protocol):
    """The audit log, as the sweep sees it."""

    def append(self, request: AuditAppend) -> ChainEnd:
        """Chain, write and fsync the entries, and return where the chain ends with them."""

    def list_chains_to_settle(self) -> Sequence[Sequence[AuditLine]]:
        """Return the sound chains without an end, and those that a sweep has ended."""

    def lines(self, incident: str, *, model: str | None = None) -> Sequence[AuditLine]:
        """Return all lines of one incident, oldest first."""

    def update_heads(self, *, at: datetime) -> ChainEnd:
        """Add the ends that the chain of heads lacks, and return its end."""


class LogComparer(Protocol):
    """The audit log beside the registry."""

    def compare(
        self, workflows: Sequence[IncidentWorkflow] | None, *, now: datetime
    ) -> ComparedLog:
        """Return the state of every chain, and where the log disagrees with the world."""


class IncidentSearch(Protocol):
    """Temporal, as sweep and reconciliation see it."""

    async def is_running(self, *workflow_ids: str) -> bool:
        """Return whether any workflow of these ids runs."""

    async def list_workflows(self) -> Sequence[IncidentWorkflow]:
        """Return every workflow that acts for an incident, or has an incident's id."""

    async def find_remediation(self, workflow_id: str) -> RemediationInput | None:
        """Return what the incident's workflow asked its remediation for last; None if nothing."""


class GrantMint(Protocol):
    """Signs grants; holds the private key."""

    def mint(self, claims: GrantClaims) -> str:
        """Return a signed JWT (EdDSA)."""


class GrantGuard(Protocol):
    """Verifies grants; holds the public key."""

    def check(self, token: str, *, expired_too: bool = False) -> GrantClaims:
        """Return the claims of a grant.

        Raises `Refused` if the grant is forged, or if it has expired and `expired_too` is False.
        """


class Notifier(Protocol):
    """Reaches a person."""

    def notify(self, request: ApprovalRequest) -> None:
        """Deliver the page, at least once."""

    def send(self, delivery: NoticeDelivery) -> None:
        """Deliver a notice to one target, at least once; raise `Refused` for an unknown target."""

    def list_targets(self, kind: NoticeKind) -> tuple[str, ...]:
        """Return the names of the targets of this process's own policy that want the kind."""

    def mark_page(self, mark: PageMark) -> None:
        """Say on the page of a closed question what became of it."""
