"""The chain of heads shows what a chain alone cannot: a file, or an open end, that is gone."""

import os
import random
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pytest

from trimtab.adapters.audit.audit_log import JsonlAuditLog
from trimtab.adapters.audit.audit_verification import judge_chains
from trimtab.adapters.audit.chain_heads import HEADS_FILE, ChainHeads, judge_heads
from trimtab.adapters.audit.log_reading import locate_audit_file, read_chain_files
from trimtab.contracts.audit import (
    GENESIS,
    AuditAppend,
    AuditEntry,
    ChainEnd,
    Gate,
    RecordedTip,
)
from trimtab.contracts.ports import Unavailable

KEY = b"k" * 32
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
OPEN = (Gate.OPENED, Gate.EVIDENCE, Gate.DECIDED)
CLOSED = (*OPEN, Gate.CLOSED)


class Log:
    """A log with its heads, and what the registry keeps of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = JsonlAuditLog(folder, key=KEY)
        self.recorded: ChainEnd | None = None
        self.tips: list[RecordedTip] = []

    def write(self, incident: str, *gates: Gate) -> Path:
        end = ChainEnd(entries=0, tip=GENESIS)
        for gate in gates:
            entry = AuditEntry(
                incident=incident,
                model="parking",
                correlation_id="c-1",
                sequence=end.entries,
                gate=gate,
                at=NOW,
                actor="trimtab",
                detail={"note": f"{incident} {gate}"},
            )
            end = self.log.append(AuditAppend(entries=(entry,), tip=end.tip))
        if gates[-1] is Gate.CLOSED:
            tip = RecordedTip(incident=incident, model="parking", tip=end.tip, entries=end.entries)
            self.tips.append(tip)
        return self.folder / locate_audit_file("parking", incident)

    def sweep(self) -> None:
        self.recorded = self.log.update_heads(at=NOW)

    def find_faults(self, key: bytes = KEY) -> list[str]:
        files = read_chain_files(self.folder, key=key)
        heads = judge_heads(ChainHeads(self.folder, key=key), files, recorded=self.recorded)
        broken = [each.fault for each in judge_chains(files, tips=self.tips) if not each.valid]
        return [*broken, *(each.fault for each in heads)]


@pytest.fixture
def log(tmp_path: Path) -> Log:
    log = Log(tmp_path / "audit")
    log.write("open", *OPEN)
    log.write("closed", *CLOSED)
    log.sweep()
    return log


def test_a_sweep_before_the_first_incident_finds_an_empty_log(tmp_path: Path) -> None:
    log = JsonlAuditLog(tmp_path / "not" / "yet", key=KEY)

    assert log.update_heads(at=NOW) == ChainEnd(entries=0, tip=GENESIS)


def cut_last_line(path: Path) -> None:
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


def rewrite_with_the_key(path: Path) -> None:
    """Make another chain of the same length, as somebody can who holds the key."""
    incident = path.stem
    gates = CLOSED if incident == "closed" else OPEN
    path.unlink()
    forged = Log(path.parents[1] / "forged")
    other = forged.write(incident, *gates[:-1], Gate.ANSWERED)
    shutil.move(other, path)
    shutil.rmtree(forged.folder)


def test_a_log_as_it_was_written_has_no_faults(log: Log) -> None:
    assert log.find_faults() == []


def test_a_chain_that_grew_since_its_head_has_no_faults(log: Log) -> None:
    log.write("open", *CLOSED)
    log.write("another", *OPEN)

    assert log.find_faults() == []


@pytest.mark.parametrize("incident", ["open", "closed"])
@pytest.mark.parametrize("harm", [Path.unlink, cut_last_line, rewrite_with_the_key])
def test_a_chain_that_is_gone_cut_or_rewritten_is_found(
    log: Log, incident: str, harm: Callable[[Path], None]
) -> None:
    """Row 8: of an open chain nothing else in the world knew how long it was."""
    harm(log.folder / locate_audit_file("parking", incident))

    assert any("cut or replaced" in fault for fault in log.find_faults())


def test_an_open_chain_that_was_removed_before_any_sweep_is_found(tmp_path: Path) -> None:
    log = Log(tmp_path / "audit")
    log.write("open", *OPEN).unlink()

    (fault,) = log.find_faults()

    assert "had 1 lines when its head was written; its file is gone" in fault


def test_a_folder_that_was_rolled_back_to_a_backup_is_found(log: Log, tmp_path: Path) -> None:
    shutil.copytree(log.folder, tmp_path / "backup")
    log.write("later", *CLOSED)
    log.sweep()
    log.tips.pop()
    assert log.find_faults() == []

    shutil.rmtree(log.folder)
    shutil.move(tmp_path / "backup", log.folder)

    (fault,) = log.find_faults()
    assert "rolled back to a backup" in fault


@pytest.mark.parametrize("content", [b"", b"{}\n", b"\n", b"\xff" * 100])
def test_heads_that_were_edited_or_emptied_are_found(log: Log, content: bytes) -> None:
    (log.folder / HEADS_FILE).write_bytes(content)

    assert log.find_faults()


def test_heads_that_are_gone_are_found_by_what_the_registry_keeps(log: Log) -> None:
    (log.folder / HEADS_FILE).unlink()

    assert any("0 stand here" in fault for fault in log.find_faults())


def test_a_log_of_an_earlier_release_has_no_heads_and_no_fault(log: Log) -> None:
    (log.folder / HEADS_FILE).unlink()
    log.recorded = None

    assert log.find_faults() == []

    log.sweep()
    assert log.recorded is not None
    assert log.recorded.entries == 1
    assert log.find_faults() == []


def test_a_sweep_without_news_adds_no_line(log: Log) -> None:
    before = (log.folder / HEADS_FILE).read_bytes()

    log.sweep()

    assert (log.folder / HEADS_FILE).read_bytes() == before


def test_heads_that_are_broken_never_stop_an_incident(log: Log) -> None:
    (log.folder / HEADS_FILE).write_bytes(b"{}\n")

    path = log.write("another", *CLOSED)

    assert len(path.read_bytes().splitlines()) == 4
    with pytest.raises(Unavailable, match="heads"):
        log.sweep()


def test_a_head_that_a_crash_tore_is_cut_off_by_the_next(log: Log) -> None:
    path = log.folder / HEADS_FILE
    path.write_bytes(path.read_bytes() + b'{"entry":')

    log.write("another", *OPEN)

    assert log.find_faults() == []


MUTATIONS: Final = int(os.environ.get("TRIMTAB_TEST_MUTATIONS", "200"))
"""Number of mutations that are tried; `TRIMTAB_TEST_MUTATIONS=1000` is the full form."""
MUTATIONS_PER_SEED: Final = 20


def mutate(log: Log, chance: random.Random) -> None:
    """Change one file of the log, or remove, cut, swap or rewrite one."""
    path = chance.choice([*log.folder.rglob("*.jsonl"), log.folder / HEADS_FILE])
    content = path.read_bytes()
    lines = content.splitlines(keepends=True)
    index = chance.randrange(len(content))
    kind = chance.choice(["byte", "insert", "cut", "drop", "swap", "repeat", "remove", "key"])
    if kind == "byte":
        content = content[:index] + bytes([content[index] ^ 1 << chance.randrange(7)])
        content += path.read_bytes()[index + 1 :]
    elif kind == "insert":
        content = content[:index] + chance.randbytes(3) + content[index:]
    elif kind == "cut":
        content = content[:index]
    elif kind == "drop":
        del lines[chance.randrange(len(lines))]
        content = b"".join(lines)
    elif kind == "repeat":
        content += chance.choice(lines)
    elif kind == "swap" and len(lines) > 1:
        first, second = chance.sample(range(len(lines)), 2)
        lines[first], lines[second] = lines[second], lines[first]
        content = b"".join(lines)
    elif kind == "key" and path.name != HEADS_FILE:
        rewrite_with_the_key(path)
        return
    else:
        path.unlink()
        return
    path.write_bytes(content)


@pytest.mark.parametrize("seed", range(MUTATIONS // MUTATIONS_PER_SEED))
def test_mutations_of_open_and_closed_logs_are_all_found(seed: int, tmp_path: Path) -> None:
    """With the key an attacker can forge a chain, but not its head."""
    chance = random.Random(seed)  # noqa: S311 - a test that can be repeated
    pristine = Log(tmp_path / "pristine")
    pristine.write("open", *OPEN)
    pristine.write("closed", *CLOSED)
    pristine.sweep()
    assert pristine.find_faults() == []

    missed = []
    for number in range(MUTATIONS_PER_SEED):
        changed = Log(tmp_path / f"changed-{number}")
        shutil.copytree(pristine.folder, changed.folder)
        changed.recorded, changed.tips = pristine.recorded, pristine.tips
        mutate(changed, chance)
        if not changed.find_faults():
            missed.append(number)

    assert missed == []
