"""Seals what our own workers measured, with a key that only they hold.

Anybody with access to Temporal can run a worker that takes a task and answers it. Figures without
the seal are therefore no ground for an action.
"""

import hashlib
import hmac
from typing import Any, Final

import rfc8785

from trimtab.contracts.ports import SealedRecord

_PURPOSE: Final = b"trimtab evidence seal v1"


class HmacEvidenceSeal:
    """The port `EvidenceSeal`; its key is derived from that of the audit log."""

    def __init__(self, *, audit_key: bytes) -> None:
        self._key = hmac.new(audit_key, _PURPOSE, hashlib.sha256).digest()

    def sign(self, record: SealedRecord) -> str:
        """Return the seal over the record's kind and every field but its own seal."""
        body: dict[str, Any] = {
            "kind": type(record).__name__,
            "content": record.model_dump(mode="json", exclude={"seal"}),
        }
        return hmac.new(self._key, rfc8785.dumps(body), hashlib.sha256).hexdigest()

    def check(self, record: SealedRecord) -> bool:
        """Return whether the record carries that seal."""
        return hmac.compare_digest(self.sign(record).encode(), record.seal.encode())
