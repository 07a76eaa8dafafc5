"""The key that a person signs with: made once, or one of OpenSSH's own."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

from trimtab.adapters.approver_key import (
    ApproverKeyError,
    create_approver_key,
    load_approver_key,
)

KEY = Ed25519PrivateKey.generate()
PASSPHRASE = "open sesame"


def write(
    path: Path,
    form: PrivateFormat,
    encryption: KeySerializationEncryption | None = None,
) -> Path:
    path.write_bytes(KEY.private_bytes(Encoding.PEM, form, encryption or NoEncryption()))
    return path


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.OpenSSH])
def test_a_key_in_either_form_is_read(tmp_path: Path, form: PrivateFormat) -> None:
    key = load_approver_key(write(tmp_path / "key", form))

    assert key.public_key() == KEY.public_key()


@pytest.mark.parametrize("form", [PrivateFormat.PKCS8, PrivateFormat.OpenSSH])
def test_a_key_with_a_passphrase_asks_for_it(tmp_path: Path, form: PrivateFormat) -> None:
    path = write(tmp_path / "key", form, BestAvailableEncryption(PASSPHRASE.encode()))

    key = load_approver_key(path, ask_passphrase=lambda _: PASSPHRASE)

    assert key.public_key() == KEY.public_key()
    with pytest.raises(ApproverKeyError, match="no terminal"):
        load_approver_key(path)
    with pytest.raises(ApproverKeyError, match="does not open"):
        load_approver_key(path, ask_passphrase=lambda _: "wrong")


def test_a_key_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "approver.pem"

    first, made = create_approver_key(path)
    second, again = create_approver_key(path)

    assert (made, again) == (True, False)
    assert first.public_key() == second.public_key()


def test_what_is_no_ed25519_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no key")
    other = ec.generate_private_key(ec.SECP256R1()).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    (tmp_path / "other").write_bytes(other)

    for name, message in (("text", "no private key"), ("other", "no Ed25519"), ("gone", "No such")):
        with pytest.raises(ApproverKeyError, match=message):
            load_approver_key(tmp_path / name)
