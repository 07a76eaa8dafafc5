"""A notice reaches a service, a webhook or a command, and no secret reaches an error."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from trimtab.adapters.notice_delivery import (
    NOTICE_ID_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    NoticeSender,
    find_missing_parts,
    sign_body,
)
from trimtab.contracts.notice import (
    Notice,
    NoticeDelivery,
    NoticeKind,
    NoticeTarget,
    check_target,
)
from trimtab.contracts.ports import Refused, Unavailable

SECRET = "correct horse battery"
NOTICE = Notice(
    id="n-1",
    kind=NoticeKind.ASKED,
    model="parking",
    incident="event-1",
    title="parking: high drift needs a decision",
    text="Retrain parking?",
    at=datetime(2026, 11, 23, tzinfo=UTC),
)


class Receiver(HTTPServer):
    """A receiver of webhooks that remembers what came, and answers as it is set to."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.status = 204

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.requests.append((dict(self.headers), body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def send(target: NoticeTarget, *, name: str = "team") -> None:
    NoticeSender(lambda: {"team": target}).send(NoticeDelivery(target=name, notice=NOTICE))


def test_a_webhook_is_signed_over_its_time_and_body(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)

    send(NoticeTarget(webhook=f"{receiver.url}/hook", secret_env="HOOK_SECRET"))

    ((headers, body),) = receiver.requests
    assert json.loads(body)["incident"] == "event-1"
    assert headers[NOTICE_ID_HEADER] == "n-1"
    expected = sign_body(SECRET.encode(), headers[TIMESTAMP_HEADER], body)
    assert headers[SIGNATURE_HEADER] == expected
    assert sign_body(b"another secret", headers[TIMESTAMP_HEADER], body) != expected


@pytest.mark.parametrize(
    ("status", "error"), [(503, Unavailable), (429, Unavailable), (404, Refused)]
)
def test_a_webhook_that_may_recover_is_tried_again(
    receiver: Receiver, tmp_path: Path, status: int, error: type[Exception]
) -> None:
    (tmp_path / "secret").write_text(SECRET)
    receiver.status = status

    with pytest.raises(error, match=f"status {status}") as raised:
        send(NoticeTarget(webhook=receiver.url, secret_file=str(tmp_path / "secret")))

    assert SECRET not in str(raised.value)


def test_a_webhook_that_does_not_answer_may_be_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)

    with pytest.raises(Unavailable, match="does not answer"):
        send(NoticeTarget(webhook="http://127.0.0.1:9", secret_env="HOOK_SECRET"))


def test_a_command_reads_the_notice_and_gets_no_secret_of_the_worker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", SECRET)
    out = tmp_path / "out"

    send(NoticeTarget(command=("sh", "-c", f"cat > {out}; env >> {out}")))

    notice, environment = out.read_text().split("\n", 1)
    assert json.loads(notice)["title"] == NOTICE.title
    assert SECRET not in environment


def test_a_command_that_fails_may_be_tried_again_and_one_that_is_missing_not() -> None:
    with pytest.raises(Unavailable, match="code 3"):
        send(NoticeTarget(command=("sh", "-c", "exit 3")))
    with pytest.raises(Refused, match="cannot be started"):
        send(NoticeTarget(command=("/no/such/program",)))


def test_a_service_is_reached_by_its_apprise_url(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAM_URL", receiver.url.replace("http://", "json://"))

    send(NoticeTarget(apprise_env="TEAM_URL"))

    ((_, body),) = receiver.requests
    assert json.loads(body)["title"] == NOTICE.title
    assert json.loads(body)["message"] == NOTICE.text


def test_a_service_that_refuses_may_be_tried_again(receiver: Receiver, tmp_path: Path) -> None:
    receiver.status = 500
    (tmp_path / "urls").write_text(receiver.url.replace("http://", f"json://ada:{SECRET[:7]}@"))

    with pytest.raises(Unavailable) as raised:
        send(NoticeTarget(apprise_file=str(tmp_path / "urls")))

    assert SECRET[:7] not in str(raised.value)


@pytest.mark.parametrize("value", [None, "", f"nonsense://{SECRET.replace(' ', '')}"])
def test_what_is_no_service_is_refused_without_a_word_of_it(
    value: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEAM_URL", raising=False)
    if value is not None:
        monkeypatch.setenv("TEAM_URL", value)

    with pytest.raises(Refused, match="TEAM_URL") as raised:
        send(NoticeTarget(apprise_env="TEAM_URL"))

    assert "correcthorse" not in str(raised.value)


def test_what_a_target_lacks_here_is_found_without_sending(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HOOK_SECRET", raising=False)
    monkeypatch.setenv("TEAM_URL", "slack://token")
    targets = {
        "pager": NoticeTarget(command=("/nonexistent/page", "--team")),
        "shell": NoticeTarget(command=("sh", "-c", "exit 1")),
        "hook": NoticeTarget(webhook="https://example.com", secret_env="HOOK_SECRET"),
        "chat": NoticeTarget(apprise_file=str(tmp_path / "none")),
        "team": NoticeTarget(apprise_env="TEAM_URL"),
    }

    found = [each for name, target in targets.items() for each in find_missing_parts(name, target)]

    assert [each.partition(": ")[0].partition(" =")[0] for each in found] == [
        "notify.pager.command",
        "notify.hook",
        "notify.chat",
    ]
    assert "HOOK_SECRET is not set here" in found[1]
    assert "No such file" in found[2]


def test_a_target_that_only_a_workflow_knows_is_refused() -> None:
    with pytest.raises(Refused, match="no such target"):
        send(NoticeTarget(command=("true",)), name="injected")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"webhook": "https://example.com"},
        {"webhook": "https://example.com", "secret_env": "S", "secret_file": "/s"},
        {"webhook": "https://example.com", "secret_env": "S", "command": ("true",)},
        {"apprise_env": "A", "apprise_file": "/b"},
    ],
)
def test_a_target_has_one_way_and_a_webhook_a_secret(fields: dict[str, Any]) -> None:
    assert list(check_target(NoticeTarget(**fields)))


@pytest.mark.parametrize(
    "fields", [{"webhook": "https://user:password@example.com"}, {"apprise_env": "slack://token"}]
)
def test_a_target_holds_no_secret(fields: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        NoticeTarget(**fields)


def test_a_target_with_one_way_is_in_order() -> None:
    assert not list(check_target(NoticeTarget(apprise_env="TEAM_URL")))
    assert not list(check_target(NoticeTarget(webhook="https://example.com", secret_env="S")))
