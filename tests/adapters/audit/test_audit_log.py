"""The audit log keeps what it was given, once and in order, and shows every change."""

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import JsonValue

from trimtab.adapters.audit.audit_log import JsonlAuditLog, load_audit_key
from trimtab.adapters.audit.audit_verification import verify
from trimtab.adapters.audit.log_reading import locate_audit_file
from trimtab.contracts.audit import (
    GENESIS,
    AuditAppend,
    AuditEntry,
    ChainEnd,
    ChainStatus,
    Gate,
    RecordedTip,
)
from trimtab.contracts.ports import Refused, Unavailable

KEY = b"k" * 32


def an_entry(sequence: int, **changes: Any) -> AuditEntry:
    content: dict[str, Any] = {
        "incident": "parking:2016-12-01",
        "model": "birmingham/Parking",
        "correlation_id": "c-1",
        "sequence": sequence,
        "gate": Gate.EVIDENCE,
        "at": datetime(2026, 11, 23, 12, 0, sequence, tzinfo=UTC),
        "actor": "trimtab",
        "detail": {"note": f"step {sequence}", "figures": [0.1, 1e20, 3, None, True]},
    }
    return AuditEntry(**(content | changes))


def an_append(first: int, count: int = 1, *, tip: str = GENESIS, **changes: Any) -> AuditAppend:
    entries = tuple(an_entry(first + index, **changes) for index in range(count))
    return AuditAppend(entries=entries, tip=tip)


class Log:
    """A log of one incident in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "audit"
        self.log = JsonlAuditLog(self.folder, key=KEY)
        self.tip = GENESIS
        self.count = 0

    def write(self, count: int = 1, **changes: Any) -> str:
        end = self.log.append(an_append(self.count, count, tip=self.tip, **changes))
        self.tip, self.count = end.tip, end.entries
        return self.tip

    @property
    def path(self) -> Path:
        (path,) = self.folder.rglob("*.jsonl")
        return path

    def recorded(self) -> RecordedTip:
        entry = an_entry(0)
        return RecordedTip(
            incident=entry.incident, model=entry.model, tip=self.tip, entries=self.count
        )

    def verify(self, *tips: RecordedTip, key: bytes = KEY) -> ChainStatus:
        (status,) = verify(self.folder, key=key, tips=tips)
        return status


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


def test_entries_are_chained_in_order_and_read_back(log: Log) -> None:
    log.write(2)
    log.write()

    lines = log.log.lines("parking:2016-12-01")

    assert [line.entry for line in lines] == [an_entry(0), an_entry(1), an_entry(2)]
    assert [line.previous for line in lines] == [GENESIS, lines[0].hash, lines[1].hash]
    assert log.tip == lines[2].hash
    assert log.verify() == ChainStatus(
        incident="parking:2016-12-01",
        model="birmingham/Parking",
        valid=True,
        entries=3,
        tip=log.tip,
        closed=False,
    )


def test_an_incident_that_is_not_there_has_no_lines(log: Log) -> None:
    assert log.log.lines("another") == ()


def test_a_chain_that_ends_with_closed_is_closed(log: Log) -> None:
    log.write(gate=Gate.CLOSED)

    assert log.verify(log.recorded()).closed


def test_the_same_request_again_changes_nothing_however_late(log: Log) -> None:
    first = an_append(0, 2)
    end = log.log.append(first)
    second = an_append(2, 2, tip=end.tip)
    last = log.log.append(second)
    before = log.path.read_bytes()

    assert log.log.append(second) == last
    assert log.log.append(first) == end
    assert log.path.read_bytes() == before


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (an_append(2, tip="a" * 64), "none with the hash"),
        (an_append(5), "entry 5 cannot follow 0 lines"),
    ],
)
def test_entries_that_do_not_follow_the_tip_are_refused(
    log: Log, request_: AuditAppend, said: str
) -> None:
    log.write(2)
    before = log.path.read_bytes()

    with pytest.raises(Refused, match=said):
        log.log.append(request_)

    assert log.path.read_bytes() == before


LATER = timedelta(minutes=10)


def presented_later(request: AuditAppend, **changes: Any) -> AuditAppend:
    """Return what the task of a workflow presents that is executed once more."""
    entries = tuple(
        entry.model_copy(update={"at": entry.at + LATER, **changes}) for entry in request.entries
    )
    return request.model_copy(update={"entries": entries})


def test_a_task_that_is_executed_again_finds_its_entries_whatever_the_time(log: Log) -> None:
    first = an_append(0, 2)
    end = log.log.append(first)
    before = log.path.read_bytes()

    assert log.log.append(presented_later(first)) == end
    assert log.path.read_bytes() == before


@pytest.mark.parametrize("field", ["deadline", "received_at"])
def test_what_an_entry_owes_to_the_clock_is_not_what_it_says(log: Log, field: str) -> None:
    end = log.log.append(an_append(0, detail={field: "12:00", "plan_hash": "p"}))

    again = log.log.append(an_append(0, detail={field: "12:10", "plan_hash": "p"}))

    assert again == end
    assert log.log.lines("parking:2016-12-01")[0].entry.detail[field] == "12:00"


def test_a_task_whose_entries_were_written_in_part_writes_the_rest(log: Log) -> None:
    whole = an_append(0, 3)
    log.log.append(whole.model_copy(update={"entries": whole.entries[:2]}))

    end = log.log.append(presented_later(whole))

    assert end.entries == 3
    assert log.verify().valid


@pytest.mark.parametrize(
    "other",
    [
        {"gate": Gate.CLOSED},
        {"actor": "person:eve"},
        {"correlation_id": "c-2"},
        {"detail": {"note": "another"}},
    ],
)
def test_another_entry_for_a_place_that_is_taken_follows_a_line_that_says_so(
    log: Log, other: dict[str, Any]
) -> None:
    log.write(3)
    before = log.path.read_bytes()
    first, second = log.log.lines("parking:2016-12-01")[:2]
    rival = presented_later(an_append(1, tip=first.hash), **other)

    end = log.log.append(rival)

    lines = log.log.lines("parking:2016-12-01")
    conflict, appended = lines[3].entry, lines[4].entry
    assert end == ChainEnd(entries=5, tip=lines[4].hash)
    assert log.path.read_bytes().startswith(before)
    assert conflict.gate is Gate.CONFLICT
    assert conflict.detail["presented"] == conflict.detail["standing"] == 1
    assert conflict.detail["standing_hash"] == second.hash
    assert appended.content == rival.entries[0].content
    assert log.verify().valid


def test_a_conflict_is_written_once_however_often_it_is_presented(log: Log) -> None:
    log.write(3)
    rival = an_append(0, 2, detail={"note": "another"})
    end = log.log.append(rival)
    further = log.log.append(an_append(end.entries, tip=end.tip))
    before = log.path.read_bytes()

    assert log.log.append(presented_later(rival)) == end
    assert log.log.append(an_append(end.entries, tip=end.tip)) == further
    assert log.path.read_bytes() == before


def test_a_conflict_that_a_crash_cut_short_is_completed(log: Log) -> None:
    log.write(3)
    rival = an_append(0, 2, detail={"note": "another"})
    end = log.log.append(rival)
    complete = log.path.read_bytes().splitlines(keepends=True)
    for kept in range(4, 6):
        log.path.write_bytes(b"".join(complete[:kept]))

        assert log.log.append(presented_later(rival)).entries == end.entries == 6
        assert log.path.read_bytes().splitlines(keepends=True)[:kept] == complete[:kept]
        assert log.verify().valid


def test_two_workflows_that_write_in_turn_lose_nothing(log: Log) -> None:
    """A workflow that was reset, and a child of its former run that is still at work."""
    start = log.log.append(an_append(0))
    ends = {"reset": start, "former": start}
    for number in range(4):
        for writer, end in tuple(ends.items()):
            entry = an_append(end.entries, tip=end.tip, detail={"note": f"{writer} {number}"})
            ends[writer] = log.log.append(entry)

    notes = [line.entry.detail.get("note") for line in log.log.lines("parking:2016-12-01")]
    assert {f"{writer} {number}" for writer in ends for number in range(4)} <= set(notes)
    assert log.verify().valid


def test_a_gap_after_the_tip_is_refused(log: Log) -> None:
    log.write(2)

    with pytest.raises(Refused, match="entry 3 cannot follow 2 lines"):
        log.log.append(an_append(3, tip=log.tip))


def test_the_first_entry_has_the_number_0(log: Log) -> None:
    with pytest.raises(Refused, match="entry 1 cannot follow 0 lines"):
        log.log.append(an_append(1))


def test_entries_of_two_incidents_or_with_a_gap_between_them_are_refused(log: Log) -> None:
    two = AuditAppend(entries=(an_entry(0), an_entry(1, incident="other")), tip=GENESIS)
    gap = AuditAppend(entries=(an_entry(0), an_entry(2)), tip=GENESIS)

    for request in (two, gap):
        with pytest.raises(Refused, match="do not follow each other"):
            log.log.append(request)


@pytest.mark.parametrize("value", [2**60, "\ud800"])
def test_an_entry_without_a_canonical_form_is_refused(log: Log, value: JsonValue) -> None:
    entry = an_entry(0).model_copy(update={"detail": {"value": value}})

    with pytest.raises(Refused, match="have no JSON form"):
        log.log.append(AuditAppend(entries=(entry,), tip=GENESIS))


def test_nothing_is_added_to_a_chain_that_was_edited(log: Log) -> None:
    log.write(2)
    log.path.write_bytes(log.path.read_bytes().replace(b"step 0", b"step 9"))

    with pytest.raises(Refused, match="trimtab audit verify"):
        log.write()


@pytest.mark.parametrize("kept", range(1, 700, 37))
def test_a_line_torn_by_a_crash_is_cut_off_by_the_append_that_it_belongs_to(
    log: Log, kept: int
) -> None:
    log.write()
    whole = log.path.read_bytes()
    end = log.log.append(request := an_append(1, 3, tip=log.tip))
    complete = log.path.read_bytes()
    log.path.write_bytes(complete[: len(whole) + kept])
    torn = not complete[: len(whole) + kept].endswith(b"\n")

    found = log.verify()
    mended = log.log.append(request)

    assert found.valid is not torn
    assert mended == end
    assert log.path.read_bytes() == complete


def test_a_torn_line_is_left_alone_by_an_append_that_it_does_not_belong_to(log: Log) -> None:
    log.write()
    first = an_append(0)
    log.path.write_bytes(torn := log.path.read_bytes() + b'{"entry":')

    assert log.log.append(first) == ChainEnd(entries=1, tip=log.tip)
    assert log.path.read_bytes() == torn


def test_a_last_line_whose_end_was_cut_off_is_not_forgotten(log: Log) -> None:
    log.write(2)
    log.path.write_bytes(log.path.read_bytes()[:-1])

    with pytest.raises(Refused, match="cut or replaced"):
        log.write()


def test_many_appenders_of_one_request_write_it_once(log: Log) -> None:
    with ThreadPoolExecutor(8) as pool:
        ends = list(pool.map(log.log.append, [an_append(0, 3)] * 32))

    assert len({end.tip for end in ends}) == 1
    assert len(log.log.lines("parking:2016-12-01")) == 3


def test_appenders_in_several_processes_exclude_each_other(log: Log) -> None:
    context = multiprocessing.get_context("spawn")

    with context.Pool(3) as pool:
        ends = pool.map(log.log.append, [an_append(0, 3)] * 12)

    assert len({end.tip for end in ends}) == 1
    assert log.verify().entries == 3


def test_a_log_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "audit").write_text("a file, not a folder")

    with pytest.raises(Unavailable, match="audit"):
        JsonlAuditLog(tmp_path / "audit", key=KEY).append(an_append(0))


def test_the_same_incident_of_two_models_is_two_chains(log: Log) -> None:
    log.write()
    log.log.append(an_append(0, model="other"))

    with pytest.raises(Refused, match="name the model"):
        log.log.lines("parking:2016-12-01")

    assert len(log.log.lines("parking:2016-12-01", model="other")) == 1
    assert len(verify(log.folder, key=KEY)) == 2


def test_names_cannot_lead_out_of_the_folder(log: Log) -> None:
    log.write(model="..", incident="../../x")

    assert log.path.resolve().is_relative_to(log.folder.resolve())


def test_another_key_verifies_nothing(log: Log) -> None:
    log.write(2)

    status = log.verify(key=b"x" * 32)

    assert (status.valid, status.entries) == (False, 0)
    assert "another key" in status.fault


def test_a_missing_file_is_found_by_the_tips_of_the_registry(log: Log) -> None:
    log.write(2, gate=Gate.CLOSED)
    recorded = log.recorded()
    log.path.unlink()

    status = log.verify(recorded)

    assert (status.valid, status.incident) == (False, "parking:2016-12-01")
    assert status.fault == "the file is gone; the registry recorded 2 entries"


@pytest.mark.parametrize("keep", [0, 1, 2])
def test_lines_missing_at_the_end_are_found_by_the_tips_of_the_registry(
    log: Log, keep: int
) -> None:
    log.write(3)
    lines = log.path.read_bytes().splitlines(keepends=True)
    log.path.write_bytes(b"".join(lines[:keep]))

    assert not log.verify(log.recorded()).valid


def test_a_closed_chain_that_the_registry_does_not_know_is_a_fault_after_an_hour(log: Log) -> None:
    log.write(2)
    log.write(gate=Gate.CLOSED)
    closed_at = an_entry(2).at

    (soon,) = verify(log.folder, key=KEY, now=closed_at + timedelta(minutes=59))
    (later,) = verify(log.folder, key=KEY, now=closed_at + timedelta(minutes=61))

    assert soon.valid
    assert not later.valid
    assert "the registry recorded no such incident" in later.fault


def test_lines_added_after_the_incident_closed_are_found(log: Log) -> None:
    log.write(2)
    recorded = log.recorded()
    log.write()

    assert log.verify(recorded).fault == "1 lines were added after the incident closed"


def test_what_a_workflow_adds_that_was_reset_after_its_end_is_no_fault(log: Log) -> None:
    log.write(2)
    log.write(gate=Gate.CLOSED)
    recorded = log.recorded()
    first = log.log.lines("parking:2016-12-01")[0]
    end = log.log.append(an_append(1, tip=first.hash, detail={"note": "another"}))

    still_open = log.verify(recorded)
    log.log.append(an_append(end.entries, tip=end.tip, gate=Gate.CLOSED))

    assert (still_open.valid, still_open.closed) == (True, False)
    assert (log.verify(recorded).valid, log.verify(recorded).closed) == (True, True)


def test_a_chain_moved_to_another_incident_s_file_is_found(log: Log) -> None:
    log.write(2)
    other = log.folder / locate_audit_file("birmingham/Parking", "other")
    other.write_bytes(log.path.read_bytes())

    statuses = verify(log.folder, key=KEY)

    assert sorted(status.valid for status in statuses) == [False, True]


def test_a_line_from_another_incident_is_found(log: Log) -> None:
    log.write()
    foreign = Log(log.folder / "elsewhere")
    foreign.write(1, incident="other")
    log.folder.joinpath(locate_audit_file("birmingham/Parking", "parking:2016-12-01")).write_bytes(
        foreign.path.read_bytes()
    )

    assert not any(status.valid for status in verify(log.folder, key=KEY) if status.entries == 0)
    statuses = {status.fault for status in verify(log.folder, key=KEY)}
    assert any("holds incident 'other'" in fault for fault in statuses)


@pytest.mark.parametrize("junk", [b"{}\n", b"[]\n", b"\n", b"\xff\xfe\n", b'{"entry":1e999}\n'])
def test_foreign_lines_are_found(log: Log, junk: bytes) -> None:
    log.write()
    log.path.write_bytes(log.path.read_bytes() + junk)

    assert not log.verify().valid


def test_the_key_is_made_once_and_a_short_one_is_refused(tmp_path: Path) -> None:
    assert load_audit_key(tmp_path / "a.key") == load_audit_key(tmp_path / "a.key")

    (tmp_path / "short.key").write_bytes(b"short\n")
    with pytest.raises(Refused, match="holds 5 bytes"):
        load_audit_key(tmp_path / "short.key")


@pytest.fixture(scope="module")
def written() -> Iterator[Log]:
    with TemporaryDirectory() as folder:
        log = Log(Path(folder))
        log.write(5)
        yield log


ENTRY_COUNT = 5


@pytest.fixture(scope="module")
def original(written: Log) -> bytes:
    return written.path.read_bytes()


def _still_valid(written: Log, content: bytes) -> bool:
    path = written.folder / locate_audit_file("birmingham/Parking", "parking:2016-12-01")
    path.write_bytes(content)
    os.utime(path)
    return written.verify(written.recorded()).valid


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_any_edit_of_a_single_byte_is_found(
    written: Log, original: bytes, data: st.DataObject
) -> None:
    place_ = data.draw(st.integers(0, len(original) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != original[place_]))

    edited = original[:place_] + bytes([byte]) + original[place_ + 1 :]

    assert _still_valid(written, original)
    assert not _still_valid(written, edited)


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_any_bytes_inserted_or_cut_out_are_found(
    written: Log, original: bytes, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(original)))
    end = data.draw(st.integers(start, len(original)))
    inserted = data.draw(st.sampled_from([b"", b" ", b"\n", original[start:end] * 2]))

    changed = original[:start] + inserted + original[end:]

    assert _still_valid(written, changed) == (changed == original)


@settings(max_examples=100, deadline=None)
@given(order=st.lists(st.integers(0, ENTRY_COUNT - 1), max_size=ENTRY_COUNT + 1))
def test_any_deletion_swap_or_repetition_of_lines_is_found(
    written: Log, original: bytes, order: list[int]
) -> None:
    lines = original.splitlines(keepends=True)

    changed = b"".join(lines[number] for number in order)

    assert _still_valid(written, changed) == (order == list(range(ENTRY_COUNT)))


@settings(max_examples=100, deadline=None)
@given(length=st.integers(0, 10_000))
def test_any_truncation_is_found(written: Log, original: bytes, length: int) -> None:
    assert _still_valid(written, original[:length]) == (length >= len(original))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('ab\n"é☃'), inner),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(detail=st.dictionaries(st.text("abc é\n"), JSON, max_size=4))
def test_any_json_is_kept_as_it_was_and_verifies(detail: dict[str, JsonValue]) -> None:
    with TemporaryDirectory() as folder:
        log = Log(Path(folder))
        log.write(detail=detail)

        (line,) = log.log.lines("parking:2016-12-01")

        assert line.entry.detail == detail
        assert log.verify(log.recorded()).valid
        assert log.log.append(an_append(0, detail=detail)).tip == log.tip


def test_whatever_lies_in_the_folder_is_a_fault_of_that_name_alone(log: Log) -> None:
    log.write(gate=Gate.CLOSED)
    sound = log.path
    (log.folder / "folder.jsonl").mkdir()
    (log.folder / "dangling.jsonl").symlink_to(log.folder / "nowhere")
    (log.folder / "circle.jsonl").symlink_to(log.folder)
    (log.folder / "to_itself.jsonl").symlink_to(log.folder / "to_itself.jsonl")
    os.mkfifo(log.folder / "pipe.jsonl")
    (log.folder / "deep.jsonl").write_bytes(b"[" * 200_000 + b"]" * 200_000 + b"\n")
    (log.folder / "deep_object.jsonl").write_bytes(b'{"entry":' * 100_000 + b"\n")
    (log.folder / "long.jsonl").write_bytes(b"9" * 5_000_000 + b"\n")
    (log.folder / "digits.jsonl").write_bytes(b'{"entry":' + b"9" * 100_000 + b"}\n")
    (log.folder / "surrogate.jsonl").write_bytes(
        b'{"entry":"\\ud800","hash":"\\ud800","previous":""}\n'
    )
    (log.folder / "empty.jsonl").write_bytes(b"")
    (log.folder / "esc\x1b[2J.jsonl").write_bytes(b"\x1b[2J\n")
    (log.folder / os.fsdecode(b"bytes\xff.jsonl")).write_bytes(b"\xff\n")
    with (log.folder / "huge.jsonl").open("wb") as file:
        file.truncate(2**40)

    statuses = verify(log.folder, key=KEY)

    names = {path.name for path in log.folder.rglob("*.jsonl")}
    assert len(statuses) == len(names) == 15
    assert [each.incident for each in statuses if each.valid] == ["parking:2016-12-01"]
    assert all(each.fault.isprintable() for each in statuses)
    assert verify(sound.parent, key=KEY)[0].entries == 1


def test_a_file_that_may_not_be_read_is_a_fault(log: Log) -> None:
    log.write()
    log.path.chmod(0)
    if os.access(log.path, os.R_OK):
        pytest.skip("root may read every file")

    assert "Permission denied" in log.verify().fault


def test_a_pipe_in_an_incidents_place_is_refused(log: Log) -> None:
    log.write()
    path = log.path
    path.unlink()
    os.mkfifo(path)

    with pytest.raises(Refused, match="neither a file nor a folder"):
        log.log.lines("parking:2016-12-01")
