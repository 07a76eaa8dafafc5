"""Finds the key files of a worker, and says which one is missing and where it comes from.

Only the first worker of the main queue makes keys; the others wait for them.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from trimtab.adapters.audit.audit_log import load_audit_key
from trimtab.adapters.grants import load_grant_secret, load_private_key, load_public_key
from trimtab.contracts.ports import Unavailable
from trimtab.runtime.settings import Settings


@dataclass(frozen=True, kw_only=True)
class KeyFiles:
    """Where the keys of the mint, its guard and the audit log are."""

    private: Path
    """Signs grants: workers of the main queue."""
    public: Path
    """Checks grants: workers of the queue of actions."""
    secret: Path
    """Encrypts grants: workers of both."""
    audit: Path
    """Chains the audit log: workers of the main queue."""
    audit_folder: Path

    @classmethod
    def locate(cls, settings: Settings) -> Self:
        """Return the files that the settings name, those of Trimtab's home by default."""
        home = settings.home.absolute()
        keys, grants = home / "keys", settings.grants
        public = grants.public_key or keys / "grant.pub.pem"
        return cls(
            private=grants.private_key or keys / "grant.pem",
            public=public,
            secret=grants.secret or public.with_name("grant.secret"),
            audit=settings.audit.key or keys / "audit.key",
            audit_folder=settings.audit.directory or home / "audit",
        )

    def load_private(self) -> Ed25519PrivateKey:
        """Return the key that signs grants; make it and its public half if there is none."""
        key = load_private_key(self.private)
        load_public_key(self.public, private=key)
        return key

    def load_public(self) -> Ed25519PublicKey:
        """Return the key that checks grants; raise `Unavailable` if there is none yet."""
        if not self.public.exists():
            msg = (
                f"grant key {self.public} is missing: copy the public key from where grants are"
                " minted, or set TRIMTAB_GRANTS__PUBLIC_KEY"
            )
            raise Unavailable(msg)
        return load_public_key(self.public)

    def make_secret(self) -> bytes:
        """Return the secret that encrypts grants; make it if there is none."""
        return load_grant_secret(self.secret)

    def load_secret(self) -> bytes:
        """Return the secret that encrypts grants; raise `Unavailable` if there is none yet."""
        if not self.secret.exists():
            msg = (
                f"grant secret {self.secret} is missing: copy the one from where grants are"
                " minted, or set TRIMTAB_GRANTS__SECRET"
            )
            raise Unavailable(msg)
        return load_grant_secret(self.secret)

    def load_audit(self) -> bytes:
        """Return the key of the audit log, which the first worker of a new log makes.

        Raises:
            Unavailable: There are entries already, written with a key that is not here. Another
                one could not continue them.
        """
        if not self.audit.exists() and any(self.audit_folder.rglob("*.jsonl")):
            msg = (
                f"audit key {self.audit} is missing, and {self.audit_folder} has entries already:"
                " copy the key that they were written with, or set TRIMTAB_AUDIT__KEY"
            )
            raise Unavailable(msg)
        return load_audit_key(self.audit)
