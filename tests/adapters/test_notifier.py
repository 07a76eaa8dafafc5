"""A person is reached by a page in a file and a line in the log."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from trimtab.adapters.notice_delivery import NoticeSender
from trimtab.adapters.notifier import CombinedNotifier, FileNotifier, LogNotifier
from trimtab.contracts.approval import ApprovalRequest
from trimtab.contracts.notice import Notice, NoticeDelivery, NoticeKind, NoticeTarget, PageMark
from trimtab.contracts.ports import Unavailable

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def a_request(page: str = "Retrain parking?") -> ApprovalRequest:
    return ApprovalRequest(
        workflow_id="drift-response/parking/e:1",
        model="parking",
        correlation_id="c-1",
        plan_hash="a" * 64,
        title="Retrain parking?",
        page=page,
        asked_at=NOW,
        deadline=NOW + timedelta(hours=4),
    )


def test_the_page_is_in_a_file_and_a_reminder_replaces_it(tmp_path: Path) -> None:
    notifier = FileNotifier(tmp_path / "approvals")

    notifier.notify(a_request())
    notifier.notify(a_request("Again: retrain parking?"))

    path = notifier.page_path("drift-response/parking/e:1")
    assert path.read_text() == "Again: retrain parking?\n"
    assert list((tmp_path / "approvals").iterdir()) == [path]


def test_the_log_line_names_the_plan_and_the_deadline(tmp_path: Path) -> None:
    notifier = CombinedNotifier(LogNotifier(), FileNotifier(tmp_path), sender=NoticeSender(dict))

    with capture_logs() as lines:
        notifier.notify(a_request())

    (line,) = lines
    assert line["event"] == "approval_requested"
    assert line["plan_hash"] == "a" * 64
    assert line["correlation_id"] == "c-1"
    assert line["deadline"] == "2026-11-23T04:00:00Z"


def test_a_notice_that_was_sent_is_logged(tmp_path: Path) -> None:
    targets = {"pager": NoticeTarget(command=("true",))}
    sender = NoticeSender(lambda: targets)
    notifier = CombinedNotifier(LogNotifier(), FileNotifier(tmp_path), sender=sender)
    notice = Notice(id="n-1", kind=NoticeKind.ASKED, incident="e:1", title="Retrain?", at=NOW)

    with capture_logs() as lines:
        notifier.send(NoticeDelivery(target="pager", notice=notice))

    (line,) = lines
    assert (line["event"], line["target"], line["incident"]) == ("notice_sent", "pager", "e:1")


def test_a_folder_that_cannot_be_written_may_be_tried_again(tmp_path: Path) -> None:
    (tmp_path / "approvals").write_text("a file, not a folder")

    with pytest.raises(Unavailable, match="approvals"):
        FileNotifier(tmp_path / "approvals").notify(a_request())


def test_the_page_of_a_closed_question_is_marked_once(tmp_path: Path) -> None:
    notifier = FileNotifier(tmp_path)
    notifier.notify(a_request())
    mark = PageMark(workflow_id="drift-response/parking/e:1", mark="ANSWERED: approved by ada")

    notifier.mark_page(mark)
    notifier.mark_page(mark)

    page = notifier.page_path(mark.workflow_id).read_text()
    assert page == "ANSWERED: approved by ada\n\nRetrain parking?\n"


def test_a_page_on_another_machine_is_left_alone(tmp_path: Path) -> None:
    FileNotifier(tmp_path).mark_page(PageMark(workflow_id="elsewhere", mark="EXPIRED"))

    assert list(tmp_path.iterdir()) == []
