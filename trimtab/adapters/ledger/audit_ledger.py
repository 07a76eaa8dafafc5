"""Implements the ledger over the folder of the audit log, and keeps reservations beside it.

A reservation is only needed until the audit log holds the grant: it expires with the grant. All
workers that mint grants must share the folder, as they must for the audit log itself.
"""

import os
import stat
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Lock
from typing import Final, NamedTuple

import structlog
from pydantic import TypeAdapter, ValidationError

from policies.ledger import (
    ActionAttempt,
    add_up,
    convert_reservation,
    find_period_starts,
    merge_attempts,
    summarise_chain,
)
from trimtab.adapters.audit.audit_chain import BrokenChainError, parse_chain
from trimtab.adapters.audit.audit_file import (
    UnfitFileError,
    open_locked,
    read_locked_file,
)
from trimtab.contracts.audit import Gate
from trimtab.contracts.budget import LedgerFacts, Reservation, UsageQuery
from trimtab.contracts.ports import Refused, Unavailable
from trimtab.files.atomic_file import write_atomically

_FOLDER: Final = ".ledger"
_FILE_MODE: Final = 0o600
_FOLDER_MODE: Final = 0o700
_SIGN_OF_A_GRANT: Final = f'"gate":"{Gate.AUTHORISED.value}"'.encode()
"""Text of every chain that holds a grant: the others need not be parsed."""
_RESERVATIONS: Final = TypeAdapter(tuple[Reservation, ...])

_log = structlog.get_logger(__name__)


def _read_clock() -> datetime:
    return datetime.now(UTC)


class _CachedChain(NamedTuple):
    changed_at: int
    """Time of the file's last change, in nanoseconds."""
    size: int
    attempt: ActionAttempt | None


class AuditLedger:
    """The port `Ledger`."""

    def __init__(
        self, folder: Path, *, key: bytes, clock: Callable[[], datetime] = _read_clock
    ) -> None:
        self._folder = folder
        self._key = key
        self._clock = clock
        self._chains: dict[Path, _CachedChain] = {}
        self._turn = Lock()

    def read(self, query: UsageQuery) -> LedgerFacts:
        """Return what was done so far; the incident's own plan is not counted.

        Raises:
            Unavailable: The folder cannot be read now.
            Refused: The reservations cannot be read.
        """
        try:
            return self._add_up(query, self._read_reservations())
        except OSError as error:
            raise self._unavailable(error) from error

    def reserve(
        self, reservation: Reservation, query: UsageQuery, *, check: Callable[[LedgerFacts], None]
    ) -> LedgerFacts:
        """Check and reserve an action in one step, and return what was done before it.

        Raises:
            Unavailable: The folder cannot be read or written now, or is locked for too long.
            Refused: The reservations cannot be read, or `check` refuses.
        """
        home = self._folder / _FOLDER
        try:
            home.mkdir(parents=True, exist_ok=True, mode=_FOLDER_MODE)
            with open_locked(home / "lock"):
                # Chains are read after the reservations: one that was written meanwhile is found
                # twice, and counted once; never not at all.
                known = self._read_reservations()
                facts = self._add_up(query, known)
                check(facts)
                kept = [each for each in known if not _is_same(each, reservation)]
                content = _RESERVATIONS.dump_json((*kept, reservation))
                write_atomically(home / "reservations.json", content, mode=_FILE_MODE)
                return facts
        except OSError as error:
            raise self._unavailable(error) from error

    def _add_up(self, query: UsageQuery, reservations: tuple[Reservation, ...]) -> LedgerFacts:
        recorded = self._read_attempts(_find_start(query))
        reserved = [convert_reservation(each) for each in reservations]
        return add_up(merge_attempts(recorded, reserved), query)

    def _read_reservations(self) -> tuple[Reservation, ...]:
        """Return the reservations that have not expired."""
        path = self._folder / _FOLDER / "reservations.json"
        try:
            found = _RESERVATIONS.validate_json(path.read_bytes())
        except FileNotFoundError:
            return ()
        except ValidationError as error:
            msg = f"reservations {path} cannot be read: remove the file once no grant is open"
            raise Refused(msg) from error
        now = self._clock()
        return tuple(each for each in found if each.expires_at > now)

    def _read_attempts(self, since: datetime) -> list[ActionAttempt]:
        """Return the granted plans of all chains that changed since then."""
        with self._turn:
            found = [self._read_chain(path) for path in self._list_files(since)]
        return [attempt for attempt in found if attempt is not None]

    def _list_files(self, since: datetime) -> Iterator[Path]:
        """Yield the log's files that changed since then; what is no file is not the log's."""
        for folder in _list_entries(self._folder):
            if folder.name == _FOLDER or not folder.is_dir(follow_symlinks=False):
                continue
            for each in _list_entries(Path(folder.path)):
                if not each.name.endswith(".jsonl"):
                    continue
                state = each.stat(follow_symlinks=False)
                if stat.S_ISREG(state.st_mode) and state.st_mtime >= since.timestamp():
                    yield Path(each.path)

    def _read_chain(self, path: Path) -> ActionAttempt | None:
        state = path.stat()
        known = self._chains.get(path)
        if known is None or (known.changed_at, known.size) != (state.st_mtime_ns, state.st_size):
            known = _CachedChain(state.st_mtime_ns, state.st_size, self._parse_chain(path))
            self._chains[path] = known
        return known.attempt

    def _parse_chain(self, path: Path) -> ActionAttempt | None:
        try:
            content = read_locked_file(path)
        except UnfitFileError as unfit:
            msg = f"ledger: audit log {path} {unfit}"
            raise Unavailable(msg) from unfit
        if _SIGN_OF_A_GRANT not in content:
            return None
        try:
            lines = parse_chain(content, key=self._key)
        except BrokenChainError as broken:
            _log.warning("ledger_chain_broken", path=str(path), fault=str(broken))
            lines = broken.sound
        return summarise_chain([line.entry for line in lines])

    def _unavailable(self, error: OSError) -> Unavailable:
        return Unavailable(f"ledger in {self._folder}: {error}")


def _find_start(query: UsageQuery) -> datetime:
    """Return the time before which no file of the log matters.

    Files change after what they record, by the real clock. A day is added for clocks that differ.
    """
    _, month = find_period_starts(query.now, query.timezone)
    return min(month, query.now - query.lookback) - timedelta(days=1)


def _is_same(one: Reservation, other: Reservation) -> bool:
    return (one.incident, one.model) == (other.incident, other.model)


def _list_entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except FileNotFoundError:
        return []
