"""Verifies the audit log, line by line and against the tips that the model registry recorded.

The chain shows every edit, gap and reordering. A missing file, or missing lines at the end of one,
only show when compared with the tips that were recorded when incidents closed.
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from trimtab.adapters.audit.append_plan import is_continued_after_conflict
from trimtab.adapters.audit.log_reading import (
    ChainFile,
    locate_audit_file,
    read_chain_files,
)
from trimtab.contracts.audit import AuditLine, ChainStatus, Gate, RecordedTip

_RECORDING_TIME: Final = timedelta(hours=1)
"""Time in which a closed incident is recorded, unless the registry was away."""
_UNFIT_CHARACTERS: Final = re.compile(r"[^\w.:/ -]")


def verify(
    folder: Path, *, key: bytes, tips: Iterable[RecordedTip] = (), now: datetime | None = None
) -> tuple[ChainStatus, ...]:
    """Return the state of every incident in the log, and of every one that should be there.

    Args:
        folder: The log.
        key: The key of its hashes.
        tips: The ends of chains that the registry recorded. Without a tip a missing file, or a
            missing end of one, is not seen; `ChainStatus.compared` says whether there was one.
        now: An incident that closed more than an hour before must have a tip; None for no check.
    """
    return judge_chains(read_chain_files(folder, key=key), tips=tips, now=now)


def judge_chains(
    files: Iterable[ChainFile], *, tips: Iterable[RecordedTip] = (), now: datetime | None = None
) -> tuple[ChainStatus, ...]:
    """Return the state of every chain in files that have been read; see `verify`."""
    expected: dict[str, list[RecordedTip]] = {}
    for tip in tips:
        expected.setdefault(locate_audit_file(tip.model, tip.incident), []).append(tip)
    found = {file.name: file for file in files}
    present = [
        _judge_file(file, tips=expected.get(name, []), now=now) for name, file in found.items()
    ]
    missing = [
        _report_missing(recorded[0]) for name, recorded in expected.items() if name not in found
    ]
    return (*present, *missing)


def _judge_file(file: ChainFile, *, tips: list[RecordedTip], now: datetime | None) -> ChainStatus:
    lines = file.lines
    fault = file.fault or _check_file_name(file.name, lines) or _check_tips(lines, tips)
    fault = fault or _check_policy(lines) or _check_openings(lines)
    fault = fault or ("" if tips else _check_recorded(lines, now))
    incident, model = _identify(file.name, lines, tips)
    return ChainStatus(
        incident=incident,
        model=model,
        valid=not fault,
        entries=len(lines),
        tip=lines[-1].hash if lines else "",
        closed=bool(lines) and lines[-1].entry.gate is Gate.CLOSED,
        fault=fault,
        compared=bool(tips),
    )


def _check_file_name(name: str, lines: tuple[AuditLine, ...]) -> str:
    if not lines:
        return "the file holds no line"
    entry = lines[0].entry
    if locate_audit_file(entry.model, entry.incident) != name:
        shown = _clean(name)
        return f"the file {shown} holds incident {entry.incident!r} of model {entry.model!r}"
    return ""


def _check_policy(lines: tuple[AuditLine, ...]) -> str:
    """Return which line was decided under another policy than the incident was opened under.

    Whoever has access to Temporal can terminate an incident, and start it again by hand under
    limits of their own, which leave a real loss to monitoring.
    """
    opened = lines[0].entry.detail.get("policy_hash")
    for entry in (line.entry for line in lines):
        decided = entry.detail.get("policy_hash")
        if entry.gate is Gate.DECIDED and isinstance(opened, str) and decided != opened:
            return (
                f"sequence {entry.sequence}: decided under policy {decided!s:.12}, but the incident"
                f" was opened under {opened:.12}: somebody started it again by hand"
            )
    return ""


def _check_openings(lines: tuple[AuditLine, ...]) -> str:
    """Return which line opens the incident a second time with something else."""
    first = lines[0].entry
    for entry in (line.entry for line in lines[1:] if line.entry.gate is Gate.OPENED):
        for name in ("event_hash", "policy_hash", "spec_hash"):
            if entry.detail.get(name) != first.detail.get(name):
                return (
                    f"sequence {entry.sequence}: opened again with another {name}: somebody started"
                    " it again by hand"
                )
    return ""


def _check_tips(lines: tuple[AuditLine, ...], tips: list[RecordedTip]) -> str:
    for recorded in tips:
        closed = recorded.tip
        if closed == lines[-1].hash or is_continued_after_conflict(lines, closed=closed):
            continue
        if any(line.hash == recorded.tip for line in lines):
            return f"{len(lines) - recorded.entries} lines were added after the incident closed"
        return (
            f"ends after {len(lines)} entries; the registry recorded {recorded.entries}, "
            f"the last with the hash {recorded.tip}"
        )
    return ""


def _check_recorded(lines: tuple[AuditLine, ...], now: datetime | None) -> str:
    end = lines[-1].entry
    if now is None or end.gate is not Gate.CLOSED or now - end.at <= _RECORDING_TIME:
        return ""
    return (
        f"closed at {end.at:%Y-%m-%d %H:%M} UTC, and the registry recorded no such incident:"
        " compare the last hash with the workflow's result"
    )


def _identify(name: str, lines: tuple[AuditLine, ...], tips: list[RecordedTip]) -> tuple[str, str]:
    """Return incident and model."""
    if tips:
        return tips[0].incident, tips[0].model
    if lines:
        return lines[0].entry.incident, lines[0].entry.model
    return _clean(name), ""


def _clean(name: str) -> str:
    """Return a file's name as the name of an incident, without what could command a terminal."""
    return _UNFIT_CHARACTERS.sub("_", name)[-128:]


def _report_missing(recorded: RecordedTip) -> ChainStatus:
    return ChainStatus(
        incident=recorded.incident,
        model=recorded.model,
        valid=False,
        entries=0,
        tip="",
        closed=False,
        fault=f"the file is gone; the registry recorded {recorded.entries} entries",
        compared=True,
    )
