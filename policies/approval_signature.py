"""Signs a person's answer, and verifies the signature: Ed25519 over canonical JSON (RFC 8785).

Pure: keys are passed in, and nothing is read or written here.
"""

import base64
import binascii
import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from trimtab.contracts.approval import HumanDecision
from trimtab.contracts.approvers import KEY_TYPE, decode_public_key, encode_public_key


def build_signed_bytes(decision: HumanDecision, *, incident: str, model: str) -> bytes:
    """Return what is signed: the answer, and the incident and model that it is about.

    Raises:
        ValueError: The answer says no time of signing.
    """
    if decision.signed_at is None:
        msg = "the answer has no signed_at"
        raise ValueError(msg)
    return bytes(
        rfc8785.dumps(
            {
                "incident": incident,
                "model": model,
                "plan_hash": decision.plan_hash,
                "decision": decision.decision.value,
                "approver": decision.approver,
                "reason": decision.reason,
                "signed_at": _format_time(decision.signed_at),
            }
        )
    )


def sign_decision(
    decision: HumanDecision,
    *,
    incident: str,
    model: str,
    key: Ed25519PrivateKey,
    signed_at: datetime,
) -> HumanDecision:
    """Return the answer with its signature."""
    timed = decision.model_copy(update={"signed_at": signed_at})
    signature = key.sign(build_signed_bytes(timed, incident=incident, model=model))
    return timed.model_copy(
        update={
            "signature": base64.b64encode(signature).decode(),
            "key_id": compute_key_fingerprint(format_public_key(key)),
        }
    )


def is_signed_by(
    decision: HumanDecision, keys: Iterable[str], *, incident: str, model: str
) -> bool:
    """Return whether one of the public keys made the answer's signature."""
    try:
        signature = base64.b64decode(decision.signature, validate=True)
        signed = build_signed_bytes(decision, incident=incident, model=model)
    except (binascii.Error, ValueError):
        return False
    return any(_is_valid(signature, signed, key) for key in keys)


def format_public_key(key: Ed25519PrivateKey, *, comment: str = "") -> str:
    """Return the public half of a key as one line in OpenSSH's form."""
    return encode_public_key(key.public_key().public_bytes_raw(), comment=comment)


def compute_key_fingerprint(public_key: str) -> str:
    """Return the key's fingerprint, as `ssh-keygen -l` prints it."""
    plain = encode_public_key(decode_public_key(public_key)).removeprefix(f"{KEY_TYPE} ")
    digest = hashlib.sha256(base64.b64decode(plain)).digest()
    return f"SHA256:{base64.b64encode(digest).decode().rstrip('=')}"


def _is_valid(signature: bytes, signed: bytes, public_key: str) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(decode_public_key(public_key)).verify(signature, signed)
    except (InvalidSignature, ValueError):
        return False
    return True


def _format_time(instant: datetime) -> str:
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
