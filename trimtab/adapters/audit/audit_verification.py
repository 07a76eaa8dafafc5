"""Finds out whether the audit log is what was written: line by line, and against the tips.

The chain shows every edit, gap and reordering. That whole files, or lines at the end of one, are
gone only shows beside the tips that the model registry recorded when incidents closed.
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from trimtab.adapters.audit.audit_chain import BrokenChainError, read_chain
from trimtab.adapters.audit.audit_log import place, read_file
from trimtab.contracts.audit import AuditLine, ChainStatus, Gate, RecordedTip

_UNTIL_RECORDED = timedelta(hours=1)
"""After which recording a closed incident was given up: `workflows.options.REMEMBER`."""
_UNNAMEABLE = re.compile(r"[^\w.:/ -]")


def verify(
    folder: Path, *, key: bytes, tips: Iterable[RecordedTip] = (), now: datetime | None = None
) -> tuple[ChainStatus, ...]:
    """The state of every incident in the log, and of every one that should be there.

    A file or the end of one that is missing is seen beside its tip only: `compared` tells. What
    was closed more than an hour before `now` (by default never) must have one.
    """
    expected: dict[str, list[RecordedTip]] = {}
    for tip in tips:
        expected.setdefault(place(tip.model, tip.incident), []).append(tip)
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.jsonl")}
    present = [
        _status(name, read_file(path), key=key, tips=expected.get(name, []), now=now)
        for name, path in sorted(found.items())
    ]
    gone = [_gone(recorded[0]) for name, recorded in expected.items() if name not in found]
    return (*present, *gone)


def _status(
    name: str, content: bytes, *, key: bytes, tips: list[RecordedTip], now: datetime | None
) -> ChainStatus:
    fault = ""
    try:
        lines = read_chain(content, key=key)
    except BrokenChainError as broken:
        lines, fault = broken.sound, str(broken)
    fault = fault or _misplaced(name, lines) or _disagrees(lines, tips)
    fault = fault or ("" if tips else _unrecorded(lines, now))
    incident, model = _identity(name, lines, tips)
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


def _misplaced(name: str, lines: tuple[AuditLine, ...]) -> str:
    if not lines:
        return "the file holds no line"
    entry = lines[0].entry
    if place(entry.model, entry.incident) != name:
        return f"the file {name} holds incident {entry.incident!r} of model {entry.model!r}"
    return ""


def _disagrees(lines: tuple[AuditLine, ...], tips: list[RecordedTip]) -> str:
    for recorded in tips:
        if recorded.tip == lines[-1].hash:
            continue
        if any(line.hash == recorded.tip for line in lines):
            return f"{len(lines) - recorded.entries} lines were added after the incident closed"
        return (
            f"ends after {len(lines)} entries; the registry recorded {recorded.entries}, "
            f"the last with the hash {recorded.tip}"
        )
    return ""


def _unrecorded(lines: tuple[AuditLine, ...], now: datetime | None) -> str:
    end = lines[-1].entry
    if now is None or end.gate is not Gate.CLOSED or now - end.at <= _UNTIL_RECORDED:
        return ""
    return (
        f"closed at {end.at:%Y-%m-%d %H:%M} UTC, and the registry recorded no such incident:"
        " compare the last hash with the workflow's result"
    )


def _identity(name: str, lines: tuple[AuditLine, ...], tips: list[RecordedTip]) -> tuple[str, str]:
    if tips:
        return tips[0].incident, tips[0].model
    if lines:
        return lines[0].entry.incident, lines[0].entry.model
    return _UNNAMEABLE.sub("_", name)[-128:], ""


def _gone(recorded: RecordedTip) -> ChainStatus:
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
