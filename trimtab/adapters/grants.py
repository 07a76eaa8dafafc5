"""Signs and checks grants: the mint holds the private key, workers that act hold the public one.

A grant is a JWT signed with Ed25519 (RFC 8037). Only that algorithm is accepted, whatever a
token's own header names. It travels encrypted (Fernet), because Temporal's histories keep it and
everybody with access to Temporal reads them.
"""

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import jwt
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from trimtab.contracts.ports import Refused
from trimtab.contracts.remediation import GrantClaims
from trimtab.files.secret_file import read_or_create_secret

ISSUER: Final = "trimtab"
AUDIENCE: Final = "trimtab-actions"
_ALGORITHM: Final = "EdDSA"
_JWT_TYPE: Final = "trimtab-grant+jwt"
_CLOCK_DIFFERENCE_SECONDS: Final = 5
"""Time by which two machines' clocks may differ."""
_OWN_CLAIMS: Final = (
    "model", "action", "plan_hash", "policy_hash", "champion_version", "target_version", "steps",
    "spec_hash", "verification_margin", "as_of", "authority",
)  # fmt: skip


def load_private_key(path: Path, *, thing: str = "grant key") -> Ed25519PrivateKey:
    """Return a private key from a PEM file, which is made with mode 0600 on first use.

    `thing` names it in errors. Its public half is kept beside it as `<stem>.pub.pem`, if that
    folder can be written.

    Raises:
        Refused: The file holds no private Ed25519 key.
    """
    pem = read_or_create_secret(path, _make_private_pem)
    try:
        key = load_pem_private_key(pem, password=None)
    except (TypeError, ValueError) as error:
        msg = f"{thing} {path} is no unencrypted private key in PEM form: {error}"
        raise Refused(msg) from error
    if not isinstance(key, Ed25519PrivateKey):
        msg = f"{thing} {path} is not an Ed25519 key: make one, or remove it to have one made"
        raise Refused(msg)
    with suppress(OSError):
        read_or_create_secret(path.with_suffix(".pub.pem"), lambda: _format_public_pem(key, path))
    return key


def load_public_key(path: Path, *, private: Ed25519PrivateKey | None = None) -> Ed25519PublicKey:
    """Return the guard's key from a PEM file, which is made if the private key is given.

    Raises:
        Refused: The file is missing, holds no public Ed25519 key, or not that of the private one.
    """
    pem = read_or_create_secret(path, lambda: _format_public_pem(private, path))
    try:
        key = load_pem_public_key(pem)
    except ValueError as error:
        msg = f"grant key {path} is no public key in PEM form: {error}"
        raise Refused(msg) from error
    if not isinstance(key, Ed25519PublicKey):
        msg = f"grant key {path} is not an Ed25519 key"
        raise Refused(msg)
    if private is not None and private.public_key() != key:
        msg = f"grant key {path} does not belong to the private key: remove it and start again"
        raise Refused(msg)
    return key


def load_grant_secret(path: Path) -> bytes:
    """Return the key that grants are encrypted with, which is made on first use with mode 0600.

    Raises:
        Refused: The file holds no such key.
    """
    secret = read_or_create_secret(path, Fernet.generate_key).strip()
    try:
        Fernet(secret)
    except ValueError as error:
        msg = f"grant secret {path} is no key of 32 bytes in URL-safe Base64: {error}"
        raise Refused(msg) from None
    return secret


class JwtMint:
    """Signs grants; the port `GrantMint`."""

    def __init__(self, *, key: Ed25519PrivateKey, secret: bytes) -> None:
        self._key = key
        self._cipher = Fernet(secret)

    def mint(self, claims: GrantClaims) -> str:
        """Return a signed and encrypted JWT; its times are cut to whole seconds."""
        plain = claims.model_dump(mode="json")
        payload: dict[str, Any] = {name: plain[name] for name in _OWN_CLAIMS}
        payload |= {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": claims.event_id,
            "iat": int(claims.issued_at.timestamp()),
            "nbf": int(claims.issued_at.timestamp()),
            "exp": int(claims.expires_at.timestamp()),
        }
        token = jwt.encode(payload, self._key, algorithm=_ALGORITHM, headers={"typ": _JWT_TYPE})
        return self._cipher.encrypt(token.encode()).decode()


class JwtGuard:
    """Checks grants; the port `GrantGuard`."""

    def __init__(self, *, key: Ed25519PublicKey, secret: bytes) -> None:
        self._key = key
        self._cipher = Fernet(secret)

    def check(self, token: str, *, expired_too: bool = False) -> GrantClaims:
        """Return the claims of a grant.

        Raises:
            Refused: The grant is forged, or it has expired and `expired_too` is false.
        """
        try:
            found = jwt.decode_complete(
                self._cipher.decrypt(token),
                self._key,
                algorithms=[_ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                leeway=_CLOCK_DIFFERENCE_SECONDS,
                options={
                    "require": ["iss", "aud", "sub", "iat", "nbf", "exp"],
                    "strict_aud": True,
                    "verify_exp": not expired_too,
                },
            )
            return _parse_claims(found["header"], found["payload"])
        except InvalidToken:
            msg = "the grant is not valid: it was not encrypted with our mint's secret"
            raise Refused(msg) from None
        except (jwt.PyJWTError, KeyError, TypeError, ValueError, OverflowError) as error:
            msg = f"the grant is not valid: {str(error).splitlines()[0]}"
            raise Refused(msg) from error


def _parse_claims(header: dict[str, Any], payload: dict[str, Any]) -> GrantClaims:
    if header.get("typ") != _JWT_TYPE:
        msg = f"it is a {header.get('typ')!r}, not a {_JWT_TYPE!r}"
        raise ValueError(msg)
    return GrantClaims(
        event_id=payload["sub"],
        issued_at=datetime.fromtimestamp(payload["iat"], UTC),
        expires_at=datetime.fromtimestamp(payload["exp"], UTC),
        **{name: payload[name] for name in _OWN_CLAIMS},
    )


def _make_private_pem() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )


def _format_public_pem(private: Ed25519PrivateKey | None, path: Path) -> bytes:
    if private is None:
        msg = f"grant key {path} is missing: copy the public key from where grants are minted"
        raise Refused(msg)
    return private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
