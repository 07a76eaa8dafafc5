"""The smaller ports in memory: one seal, and grants that anybody can read."""

from trimtab.contracts.ports import SealedRecord
from trimtab.contracts.remediation import GrantClaims

_SEAL = "in memory"


class MemorySeal:
    """The port `EvidenceSeal`, where nobody else can write."""

    def sign(self, record: SealedRecord) -> str:
        """Return the seal."""
        return _SEAL

    def check(self, record: SealedRecord) -> bool:
        """Return whether it carries the seal."""
        return record.seal == _SEAL


class OpenGuard:
    """The ports `GrantMint` and `GrantGuard`, unsigned: nothing outside of the process asks."""

    def mint(self, claims: GrantClaims) -> str:
        """Return the claims as text."""
        return claims.model_dump_json()

    def check(self, token: str, *, expired_too: bool = False) -> GrantClaims:
        """Return the claims."""
        return GrantClaims.model_validate_json(token)
