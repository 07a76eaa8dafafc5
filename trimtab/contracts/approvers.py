"""The people whose answers count, as the policy lists them, and the terms of one question."""

import base64
import binascii
from datetime import timedelta
from typing import Annotated, Final

from pydantic import AfterValidator, AwareDatetime, Field, StringConstraints

from trimtab.contracts.base import Digest, Name, Record
from trimtab.contracts.model import Tier

KEY_TYPE: Final = "ssh-ed25519"
"""First word of a public key, as `ssh-keygen -t ed25519` writes it."""
_KEY_HEADER: Final = b"\x00\x00\x00\x0b" + KEY_TYPE.encode() + b"\x00\x00\x00\x20"
"""First bytes of the encoded key (RFC 8709); the 32 bytes of the Ed25519 key follow."""
_KEY_BYTES: Final = 32
RESERVED_NAMES: Final = frozenset(
    {"trimtab", "policy", "unknown", "worker", "starter", "temporal", "system"}
)
"""Names of Trimtab's own parts, in small letters: no person answers in one of them."""
_ANALYST_PREFIXES: Final = ("analyst/", "ollama/", "gemini-")


def is_reserved_name(name: str) -> bool:
    """Return whether a name belongs to a part of Trimtab or to an analyst, in any case."""
    folded = name.strip().casefold()
    return folded in RESERVED_NAMES or folded.startswith(_ANALYST_PREFIXES)


def decode_public_key(text: str) -> bytes:
    """Return the 32 bytes of a public key such as `ssh-ed25519 AAAA… comment`.

    Raises:
        ValueError: The text is no such key.
    """
    words = text.split()
    try:
        raw = base64.b64decode(words[1], validate=True) if words[:1] == [KEY_TYPE] else b""
    except (IndexError, binascii.Error):
        raw = b""
    if not raw.startswith(_KEY_HEADER) or len(raw) != len(_KEY_HEADER) + _KEY_BYTES:
        msg = f"is no public key: write one line such as `{KEY_TYPE} AAAA…`"
        raise ValueError(msg)
    return raw.removeprefix(_KEY_HEADER)


def encode_public_key(raw: bytes, *, comment: str = "") -> str:
    """Return the 32 bytes of a public key as `ssh-ed25519 AAAA… comment`."""
    return f"{KEY_TYPE} {base64.b64encode(_KEY_HEADER + raw).decode()} {comment}".strip()


def _check_key(text: str) -> str:
    decode_public_key(text)
    return text


def _check_name(name: str) -> str:
    if is_reserved_name(name):
        msg = "is the name of a part of Trimtab or of an analyst: name a person"
        raise ValueError(msg)
    return name


ApproverName = Annotated[
    str,
    StringConstraints(pattern=r"^[\w@](?:[\w.@+' -]{0,98}[\w.@+'-])?$"),
    AfterValidator(_check_name),
]
"""Name of a person or a team: letters, digits and inside . @ + ' - and spaces."""
PublicKey = Annotated[str, Field(max_length=400), AfterValidator(_check_key)]
"""An Ed25519 key in OpenSSH's form."""


class Approver(Record):
    """A person whose answers count."""

    keys: tuple[PublicKey, ...] = ()
    """Public keys that the person signs with."""
    tiers: tuple[Tier, ...] = ()
    """Tiers of models whose plans the person may approve; empty for all. Any approver may reject
    any plan."""


class ApprovalTerms(Record):
    """Everything that decides whether an answer to one question counts."""

    incident: Name
    """The event id."""
    model: Name
    plan_hash: Digest
    tier: Tier
    approvers: dict[str, Approver]
    """The people whose answers count, by name; empty if the answers of anyone count."""
    approvals_needed: int = Field(default=1, ge=1)
    """Number of people who must approve the plan."""
    require_signature: bool = False
    """Whether an answer counts only with a signature by one of the approver's keys."""
    proposer: str = ""
    """Name of the analyst that made the plan; it cannot approve it."""
    asked_at: AwareDatetime
    deadline: AwareDatetime
    strict: bool = True
    """False for incidents that asked before approvers could be listed: any name counts there, and
    the first answer settles the question."""

    @property
    def signature_lifetime(self) -> timedelta:
        """How long a signature counts: as long as the question is open."""
        return self.deadline - self.asked_at


SIGNATURE_GRACE: Final = timedelta(hours=1)
"""Time between an approval and the grant in which an approval does not go stale."""
CLOCK_DIFFERENCE: Final = timedelta(minutes=5)
"""Time by which the clocks of a person and of Temporal may differ."""
