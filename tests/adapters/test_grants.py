"""A grant is believed only when our mint made it, for our actions, and while it lasts."""

import base64
import hashlib
import hmac
import json
import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from trimtab.adapters.grants import (
    JwtGuard,
    JwtMint,
    load_grant_secret,
    load_private_key,
    load_public_key,
)
from trimtab.contracts.ports import Refused
from trimtab.contracts.remediation import Action, GrantClaims, Step

KEY = Ed25519PrivateKey.generate()
SECRET = Fernet.generate_key()
GUARD = JwtGuard(key=KEY.public_key(), secret=SECRET)
NOW = datetime.now(UTC).replace(microsecond=0)
HEADER = {"typ": "trimtab-grant+jwt"}


def some_claims(**changes: Any) -> GrantClaims:
    content: dict[str, Any] = {
        "event_id": "e-1",
        "model": "parking",
        "action": Action.RETRAIN,
        "plan_hash": "a" * 64,
        "policy_hash": "b" * 64,
        "champion_version": "1",
        "steps": (Step.RETRAIN, Step.PROMOTE),
        "spec_hash": "c" * 64,
        "as_of": NOW,
        "authority": "policy:all_rules",
        "issued_at": NOW,
        "expires_at": NOW + timedelta(hours=2),
    }
    return GrantClaims(**(content | changes))


def sealed(token: str) -> str:
    return Fernet(SECRET).encrypt(token.encode()).decode()


def opened(grant: str) -> str:
    return Fernet(SECRET).decrypt(grant).decode()


def a_payload(**changes: Any) -> dict[str, Any]:
    token = JwtMint(key=KEY, secret=SECRET).mint(some_claims())
    payload: dict[str, Any] = jwt.decode(opened(token), options={"verify_signature": False})
    return {name: value for name, value in (payload | changes).items() if value is not ...}


def signed(payload: dict[str, Any], **header: Any) -> str:
    return sealed(jwt.encode(payload, KEY, algorithm="EdDSA", headers=HEADER | header))


def encoded(part: bytes | dict[str, Any]) -> str:
    raw = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


@pytest.mark.parametrize(
    "claims",
    [
        some_claims(),
        some_claims(champion_version=None),
        some_claims(action=Action.ROLL_BACK, target_version="3", authority="person:Ada <a@b>"),
    ],
)
def test_a_grant_carries_its_claims(claims: GrantClaims) -> None:
    assert GUARD.check(JwtMint(key=KEY, secret=SECRET).mint(claims)) == claims


def test_the_payload_made_for_forging_is_valid_before_it_is_forged() -> None:
    assert GUARD.check(signed(a_payload())) == some_claims()


@pytest.mark.parametrize(
    "claim",
    ["iss", "aud", "sub", "iat", "nbf", "exp", "model", "action", "plan_hash", "policy_hash",
     "champion_version", "target_version", "steps", "spec_hash", "verification_margin", "as_of",
     "authority"],
)  # fmt: skip
def test_a_grant_without_one_of_its_claims_is_refused(claim: str) -> None:
    with pytest.raises(Refused):
        GUARD.check(signed(a_payload(**{claim: ...})))


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "somebody-else"},
        {"aud": ["trimtab-actions"]},
        {"iss": "somebody-else"},
        {"action": "delete_everything"},
        {"plan_hash": "short"},
        {"exp": "tomorrow"},
        {"iat": 10**30},
        {"exp": int(NOW.timestamp()) - 60},
        {"nbf": int(NOW.timestamp()) + 36_000},
        {"iat": int(NOW.timestamp()) + 36_000},
    ],
)
def test_a_grant_for_others_or_for_another_time_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="the grant is not valid"):
        GUARD.check(signed(a_payload(**changes)))


def test_an_expired_grant_is_tolerated_on_request_and_is_still_checked() -> None:
    past = some_claims(issued_at=NOW - timedelta(hours=3), expires_at=NOW - timedelta(hours=1))
    expired = JwtMint(key=KEY, secret=SECRET).mint(past)

    assert GUARD.check(expired, expired_too=True) == past
    with pytest.raises(Refused):
        GUARD.check(expired)
    with pytest.raises(Refused):
        GUARD.check(
            JwtMint(key=Ed25519PrivateKey.generate(), secret=SECRET).mint(past), expired_too=True
        )


def test_a_grant_signed_with_another_key_is_refused() -> None:
    forged = JwtMint(key=Ed25519PrivateKey.generate(), secret=SECRET).mint(some_claims())

    with pytest.raises(Refused, match="Signature verification failed"):
        GUARD.check(forged)


def test_a_grant_of_another_curve_is_refused() -> None:
    ed448 = jwt.encode(a_payload(), Ed448PrivateKey.generate(), algorithm="EdDSA", headers=HEADER)
    p256 = jwt.encode(
        a_payload(), generate_private_key(SECP256R1()), algorithm="ES256", headers=HEADER
    )

    for forged in (ed448, p256):
        with pytest.raises(Refused):
            GUARD.check(sealed(forged))


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", ""])
def test_a_grant_without_signature_is_refused(algorithm: str) -> None:
    head = encoded(HEADER | {"alg": algorithm})

    for signature in ("", encoded(b"x" * 64)):
        with pytest.raises(Refused):
            GUARD.check(sealed(f"{head}.{encoded(a_payload())}.{signature}"))


@pytest.mark.parametrize("form", ["pem", "raw"])
def test_the_public_key_is_not_taken_for_a_shared_secret(form: str) -> None:
    secret = (
        KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        if form == "pem"
        else KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    )
    body = f"{encoded(HEADER | {'alg': 'HS256'})}.{encoded(a_payload())}"
    signature = hmac.new(secret, body.encode(), hashlib.sha256).digest()

    with pytest.raises(Refused):
        GUARD.check(sealed(f"{body}.{encoded(signature)}"))


def test_a_grant_changed_after_it_was_signed_is_refused() -> None:
    token = opened(JwtMint(key=KEY, secret=SECRET).mint(some_claims()))
    head, _, signature = token.split(".")

    with pytest.raises(Refused):
        GUARD.check(sealed(f"{head}.{encoded(a_payload(model='another'))}.{signature}"))


def test_another_kind_of_token_of_ours_is_no_grant() -> None:
    with pytest.raises(Refused, match="'JWT'"):
        GUARD.check(signed(a_payload(), typ="JWT"))


@pytest.mark.parametrize("token", ["", "...", "a.b.c", "\x00", "é", "a" * 10_000])
def test_rubbish_is_refused(token: str) -> None:
    for grant in (token, sealed(token)):
        with pytest.raises(Refused):
            GUARD.check(grant)


def test_a_history_shows_nothing_of_a_grant() -> None:
    grant = JwtMint(key=KEY, secret=SECRET).mint(some_claims())

    assert grant.count(".") == 0
    with pytest.raises(Refused, match="not encrypted with our mint's secret"):
        GUARD.check(opened(grant))
    with pytest.raises(Refused, match="not encrypted with our mint's secret"):
        JwtGuard(key=KEY.public_key(), secret=Fernet.generate_key()).check(grant)


def test_a_secret_is_made_once_and_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    secret = load_grant_secret(tmp_path / "keys" / "grant.secret")
    (tmp_path / "short").write_text("too short")

    assert load_grant_secret(tmp_path / "keys" / "grant.secret") == secret
    assert stat.S_IMODE((tmp_path / "keys" / "grant.secret").stat().st_mode) == 0o600
    with pytest.raises(Refused, match="32 bytes"):
        load_grant_secret(tmp_path / "short")


def test_keys_are_made_on_first_use_and_fit_each_other(tmp_path: Path) -> None:
    private = load_private_key(tmp_path / "keys" / "grant.pem")
    public = load_public_key(tmp_path / "keys" / "grant.pub.pem", private=private)

    token = JwtMint(key=load_private_key(tmp_path / "keys" / "grant.pem"), secret=SECRET).mint(
        some_claims()
    )

    assert JwtGuard(key=public, secret=SECRET).check(token) == some_claims()
    assert load_public_key(tmp_path / "keys" / "grant.pub.pem") == public
    assert stat.S_IMODE((tmp_path / "keys" / "grant.pem").stat().st_mode) == 0o600


def test_the_public_half_lies_beside_the_private_one(tmp_path: Path) -> None:
    private = load_private_key(tmp_path / "grant.pem")

    assert load_public_key(tmp_path / "grant.pub.pem") == private.public_key()


def test_workers_that_start_at_once_all_hold_the_same_key(tmp_path: Path) -> None:
    def start(_: int) -> bytes:
        key = load_private_key(tmp_path / "grant.pem")
        load_public_key(tmp_path / "grant.pub.pem", private=key)
        return key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(start, range(16)))) == 1


def test_a_public_key_of_another_pair_is_refused(tmp_path: Path) -> None:
    load_public_key(tmp_path / "grant.pub.pem", private=KEY)

    with pytest.raises(Refused, match="does not belong"):
        load_public_key(tmp_path / "grant.pub.pem", private=Ed25519PrivateKey.generate())


def test_a_missing_public_key_on_a_worker_that_acts_is_refused_with_the_remedy(
    tmp_path: Path,
) -> None:
    with pytest.raises(Refused, match="copy the public key"):
        load_public_key(tmp_path / "grant.pub.pem")


def test_a_key_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    (tmp_path / "rubbish.pem").write_text("rubbish")
    other = generate_private_key(SECP256R1())
    (tmp_path / "other.pem").write_bytes(
        other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    (tmp_path / "other.pub.pem").write_bytes(
        other.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    )

    for path in ("rubbish.pem", "other.pem"):
        with pytest.raises(Refused, match=path):
            load_private_key(tmp_path / path)
    for path in ("rubbish.pem", "other.pub.pem"):
        with pytest.raises(Refused, match=path):
            load_public_key(tmp_path / path)
