"""Reads the key that a person signs answers with, and makes one."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_ssh_private_key,
)

from trimtab.contracts.errors import ErrorKind, TrimtabError
from trimtab.files.secret_file import read_or_create_secret
from trimtab.runtime.settings import Settings

DEFAULT_KEY: Final = "~/.config/trimtab/approver.pem"
_SSH_MARK: Final = b"OPENSSH PRIVATE KEY"


class ApproverKeyError(TrimtabError):
    """The approver's key cannot be used; the message names the file and the remedy."""

    kind = ErrorKind.INVALID_INPUT


def locate_approver_key(settings: Settings) -> Path:
    """Return the file of the approver's key, which may not exist."""
    return (settings.approver.key or Path(DEFAULT_KEY)).expanduser()


def create_approver_key(path: Path) -> tuple[Ed25519PrivateKey, bool]:
    """Return the key of the file, and whether it was made now, with mode 0600."""
    is_new = not path.exists()
    read_or_create_secret(path, _make_pem)
    return load_approver_key(path), is_new


def load_approver_key(
    path: Path, *, ask_passphrase: Callable[[str], str] | None = None
) -> Ed25519PrivateKey:
    """Return the private key of a file in PEM or OpenSSH form.

    Raises:
        ApproverKeyError: The file cannot be read, needs a passphrase that nobody can be asked for,
            or holds another kind of key.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        msg = f"approver key {path}: {error.strerror}: correct TRIMTAB_APPROVER__KEY"
        raise ApproverKeyError(msg) from None
    try:
        key = _parse(content, passphrase=None)
    except TypeError:  # what cryptography raises for an encrypted key without a passphrase
        key = _parse_encrypted(path, content, ask_passphrase)
    except (ValueError, UnsupportedAlgorithm):
        msg = f"approver key {path}: is no private key in PEM or OpenSSH form"
        raise ApproverKeyError(msg) from None
    if not isinstance(key, Ed25519PrivateKey):
        msg = f"approver key {path}: is no Ed25519 key: make one with `ssh-keygen -t ed25519`"
        raise ApproverKeyError(msg)
    return key


def _parse_encrypted(
    path: Path, content: bytes, ask_passphrase: Callable[[str], str] | None
) -> object:
    if ask_passphrase is None:
        msg = f"approver key {path}: has a passphrase, and there is no terminal to ask for it"
        raise ApproverKeyError(msg)
    try:
        return _parse(content, passphrase=ask_passphrase(f"Passphrase of {path}").encode())
    except (TypeError, ValueError, UnsupportedAlgorithm):
        msg = f"approver key {path}: the passphrase does not open it"
        raise ApproverKeyError(msg) from None


def _parse(content: bytes, *, passphrase: bytes | None) -> object:
    if _SSH_MARK in content:
        return load_ssh_private_key(content, password=passphrase)
    return load_pem_private_key(content, password=passphrase)


def _make_pem() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
