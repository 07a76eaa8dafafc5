"""The request for a grant. The mint that receives it believes nothing that it can derive."""

from trimtab.contracts.approval import Answer
from trimtab.contracts.base import Digest, Record
from trimtab.contracts.deliberation import Deliberation
from trimtab.contracts.evidence import MeasuredVersions, RecalledDocuments
from trimtab.contracts.incident import IncidentInput


class AuthorisationRequest(Record):
    """Input of the activity `authorise`: what the decision was made from, not the decision."""

    incident: IncidentInput
    measured: MeasuredVersions
    recalled: RecalledDocuments
    deliberation: Deliberation
    failure: str = ""
    """Why the configured analyst failed; empty if it did not."""
    plan_hash: Digest
    """The plan that the workflow wants to carry out; the mint must come to the same one."""
    answers: tuple[Answer, ...] = ()
    """Every answer that people gave, oldest first."""
