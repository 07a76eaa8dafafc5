"""Signs drift events, and finds whose signature an event carries.

A signature is Ed25519 (RFC 8032) over `contracts.event_signature.build_signed_content`. Key files
are read again when they may have changed, because a publisher's key may come after the start.
"""

import base64
import binascii
import hashlib
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

import structlog
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from trimtab.adapters.grants import load_private_key
from trimtab.contracts.drift import DriftEvent
from trimtab.contracts.event_signature import build_signed_content
from trimtab.contracts.ports import Refused
from trimtab.files.secret_file import read_or_create_secret
from trimtab.runtime.settings import Settings

OWN_PUBLISHER: Final = "trimtab"
"""Name of whoever signs with `events.key`."""
_FRESH_SECONDS: Final = 2.0
"""Age from which the key files are read again."""
_KEY_ID_LENGTH: Final = 16

_log = structlog.get_logger(__name__)


def find_event_key(settings: Settings) -> Path:
    """Return the file of the key that our own events are signed with."""
    return settings.events.key or settings.home.absolute() / "keys" / "events.pem"


def find_public_event_key(settings: Settings) -> Path:
    """Return the file of that key's public half."""
    return settings.events.public_key or find_event_key(settings).with_suffix(".pub.pem")


class EventSigner:
    """Signs events with one private key."""

    def __init__(self, *, key: Ed25519PrivateKey) -> None:
        self._key = key
        self._key_id = compute_key_id(key.public_key())

    def sign(self, event: DriftEvent) -> DriftEvent:
        """Return the event with a signature; an event that has one stays as it is."""
        if event.signature:
            return event
        named = event.model_copy(update={"keyid": self._key_id})
        signature = self._key.sign(build_signed_content(named))
        return named.model_copy(update={"signature": _encode_signature(signature)})


class EventVerifier:
    """Knows the public keys of the accepted publishers."""

    def __init__(
        self, files: Mapping[str, Path], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._files = dict(files)
        self._clock = clock
        self._read_at: float | None = None
        self._keys: dict[str, tuple[str, Ed25519PublicKey]] = {}
        """Name and key of the publishers by key id."""
        self._faults: dict[str, str] = {}

    def find_publisher(self, event: DriftEvent) -> str:
        """Return the name of the publisher who signed exactly this event; empty for none."""
        if not (event.signature and event.keyid):
            return ""
        name, key = self._read_keys().get(event.keyid, ("", None))
        if key is None:
            return ""
        try:
            key.verify(_decode_signature(event.signature), build_signed_content(event))
        except (InvalidSignature, binascii.Error, ValueError):
            return ""
        return name

    def _read_keys(self) -> Mapping[str, tuple[str, Ed25519PublicKey]]:
        now = self._clock()
        if self._read_at is None or now - self._read_at >= _FRESH_SECONDS:
            self._read_at = now
            self._keys = {
                compute_key_id(key): (name, key)
                for name, path in self._files.items()
                if (key := self._read_key(name, path)) is not None
            }
        return self._keys

    def _read_key(self, name: str, path: Path) -> Ed25519PublicKey | None:
        """Return a publisher's key; log what is wrong with its file once, and accept no event."""
        try:
            key = read_publisher_key(path)
        except Refused as refusal:
            is_expected = name == OWN_PUBLISHER and not path.exists()
            if not is_expected and self._faults.get(name) != str(refusal):
                _log.error("publisher_key_unreadable", publisher=name, error=str(refusal))
            self._faults[name] = str(refusal)
            return None
        self._faults.pop(name, None)
        return key


def load_event_signer(settings: Settings) -> EventSigner:
    """Return the signer of our own events; both halves of its key are kept on first use.

    Raises:
        Refused: The file holds no private Ed25519 key, or that of the public one another's.
    """
    key = load_private_key(find_event_key(settings), thing="event key")
    public = find_public_event_key(settings)
    with suppress(OSError):  # a read-only folder: whoever set it up copied the public key there
        read_or_create_secret(public, lambda: _format_public_pem(key))
        if read_publisher_key(public) != key.public_key():
            msg = f"event key {public} does not belong to the private key: remove it"
            raise Refused(msg)
    return EventSigner(key=key)


def build_event_verifier(settings: Settings) -> EventVerifier:
    """Return what knows our own key and those of the publishers in the settings."""
    own = find_public_event_key(settings)
    return EventVerifier({OWN_PUBLISHER: own, **settings.events.publishers})


def read_publisher_key(path: Path) -> Ed25519PublicKey:
    """Return the public key in a PEM file.

    Raises:
        Refused: The file is missing or holds no public Ed25519 key.
    """
    try:
        key = load_pem_public_key(path.read_bytes())
    except OSError as error:
        msg = f"event key {path} cannot be read: {error.strerror}: copy the publisher's public key"
        raise Refused(msg) from error
    except ValueError as error:
        msg = f"event key {path} is no public key in PEM form: copy the publisher's `.pub.pem`"
        raise Refused(msg) from error
    if not isinstance(key, Ed25519PublicKey):
        msg = f"event key {path} is not an Ed25519 key: copy the publisher's `.pub.pem`"
        raise Refused(msg)
    return key


def compute_key_id(key: Ed25519PublicKey) -> str:
    """Return the id of a public key: the beginning of the SHA-256 of its 32 bytes, hexadecimal."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:_KEY_ID_LENGTH]


def _format_public_pem(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _encode_signature(signature: bytes) -> str:
    return base64.urlsafe_b64encode(signature).decode().rstrip("=")


def _decode_signature(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
