"""What the activities are built from: each port is one outside thing, as we speak of it.

Ports marked async may be cancelled; the others block and are called from threads.
Every port raises `Unavailable` when trying again may help and `Refused` when it cannot.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from pydantic import JsonValue

from trimtab.contracts.approval import ApprovalRequest
from trimtab.contracts.audit import AuditAppend, AuditLine
from trimtab.contracts.errors import ErrorKind, TrimtabError
from trimtab.contracts.evidence import Document
from trimtab.contracts.incident import IncidentReport
from trimtab.contracts.model import ModelVersion
from trimtab.contracts.remediation import GrantClaims


class Unavailable(TrimtabError):  # noqa: N818 - says what the thing is, not that it is an error
    """The thing behind a port cannot be reached or is busy: trying again may help."""

    kind = ErrorKind.UNAVAILABLE


class Refused(TrimtabError):  # noqa: N818 - says what the thing did, not that it is an error
    """The thing behind a port said no, and will say no again."""

    kind = ErrorKind.REFUSED


class NoChampionError(Refused):
    """No version of the model has the alias `champion`."""


class ModelRegistry(Protocol):
    """The model registry (MLflow)."""

    def champion(self, model: str) -> ModelVersion | None:
        """The version that the alias `champion` points at, or None."""

    def versions(self, model: str, *, limit: int = 10) -> tuple[ModelVersion, ...]:
        """The newest versions, newest first."""

    def find_version(self, model: str, *, key: str) -> ModelVersion | None:
        """The version that carries the effect key, or None: search before create."""

    def set_champion(self, model: str, version: str, *, expected: str | None, key: str) -> bool:
        """Point `champion` at version if it points at expected; False when already done by key.

        Raises `Refused` when the champion is neither expected nor the result of key.
        """

    def record_incident(self, report: IncidentReport) -> None:
        """Keep the incident as a run: tags with correlation id, verdict, ending and audit tip."""

    def last_action_at(self, model: str) -> datetime | None:
        """`IncidentReport.acted_at` of the newest recorded incident of the model, or None."""

    def audit_tips(self, model: str | None = None) -> Mapping[str, str]:
        """Event id to audit tip of every incident recorded."""


class PipelineRunner(Protocol):
    """Runs a Kedro pipeline in a process of its own."""

    async def run(self, pipeline: str, params: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """The pipeline's free outputs; cancelling ends the process."""


class KnowledgeBase(Protocol):
    """Runbooks and past incidents, found by meaning (Chroma)."""

    def search(self, query: str, *, limit: int = 5) -> tuple[Document, ...]:
        """The nearest documents, best first."""

    def document(self, document_id: str) -> Document | None:
        """One whole document, or None."""

    def remember(self, report: IncidentReport, *, document_id: str) -> None:
        """Write the incident's outcome back; the same id again replaces it."""


class AuditLog(Protocol):
    """The append-only record of one deployment."""

    def append(self, request: AuditAppend) -> str:
        """Chain, write and fsync; the new tip. The same request again changes nothing.

        Raises `Refused` when the entries do not follow the tip.
        """

    def lines(self, incident: str, *, model: str | None = None) -> Sequence[AuditLine]:
        """All lines of one incident, oldest first; the model tells apart ids used twice."""


class GrantMint(Protocol):
    """Holds the private key."""

    def mint(self, claims: GrantClaims) -> str:
        """A signed JWT (EdDSA)."""


class GrantGuard(Protocol):
    """Holds the public key."""

    def check(self, token: str, *, expired_too: bool = False) -> GrantClaims:
        """The claims; raises `Refused` when forged, or expired unless that is tolerated."""


class Notifier(Protocol):
    """Reaches a person."""

    def notify(self, request: ApprovalRequest) -> None:
        """Deliver the page; at least once."""
