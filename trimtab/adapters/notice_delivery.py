"""Delivers a notice to a service (through Apprise), a webhook, or a command.

Secrets come from environment variables and files of this process, and never appear in an error.
"""

import hashlib
import hmac
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import httpx

from trimtab.contracts.notice import Notice, NoticeDelivery, NoticeKind, NoticeTarget
from trimtab.contracts.ports import Refused, Unavailable

SIGNATURE_HEADER: Final = "X-Trimtab-Signature"
"""`sha256=` and the HMAC of timestamp, full stop and body, in hexadecimal."""
TIMESTAMP_HEADER: Final = "X-Trimtab-Timestamp"
"""Time of sending, in whole seconds since 1970."""
NOTICE_ID_HEADER: Final = "X-Trimtab-Notice"
"""Id of the notice, the same if it is sent again."""
_TIMEOUT_SECONDS: Final = 15.0
_COMMAND_TIMEOUT_SECONDS: Final = 30.0
_RETRIED_STATUSES: Final = {408, 425, 429}
_FIRST_ERROR_STATUS: Final = 300
_FIRST_SERVER_ERROR_STATUS: Final = 500
_COMMAND_VARIABLES: Final = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
"""Variables of this process that a command gets: the others may hold secrets."""


class NoticeSender:
    """Sends notices to the targets of this process's own policy."""

    def __init__(self, load_targets: Callable[[], Mapping[str, NoticeTarget]]) -> None:
        self._load_targets = load_targets

    def send(self, delivery: NoticeDelivery) -> None:
        """Deliver a notice to one target.

        Raises:
            Refused: The policy has no such target, or the target will never accept the notice.
            Unavailable: The target does not answer now.
        """
        name, notice = delivery.target, delivery.notice
        target = self._load_targets().get(name)
        if target is None:
            msg = f"notify.{name}: the policy here has no such target: add it to policy.yml"
            raise Refused(msg)
        if target.webhook:
            _post(name, target, notice)
        elif target.command:
            _run(name, target, notice)
        else:
            _send_with_apprise(name, target, notice)

    def list_targets(self, kind: NoticeKind) -> tuple[str, ...]:
        """Return the names of the targets that want the kind, sorted."""
        targets = self._load_targets()
        return tuple(sorted(name for name, each in targets.items() if kind in each.kinds))


def find_missing_parts(name: str, target: NoticeTarget) -> Iterator[str]:
    """Yield what a target needs and this process does not have: its program, or its secret."""
    if target.command and shutil.which(target.command[0]) is None:
        program = target.command[0]
        yield f"notify.{name}.command = {program!r}: is no program here: install it, or correct it"
    for variable, file in (
        (target.apprise_env, target.apprise_file),
        (target.secret_env, target.secret_file),
    ):
        if variable or file:
            try:
                _read_secret(name, variable, file)
            except Refused as refusal:
                yield str(refusal)


def sign_body(secret: bytes, timestamp: str, body: bytes) -> str:
    """Return the value of the signature header for a body that is sent at that time."""
    signed = hmac.new(secret, timestamp.encode() + b"." + body, hashlib.sha256)
    return f"sha256={signed.hexdigest()}"


def _post(name: str, target: NoticeTarget, notice: Notice) -> None:
    secret = _read_secret(name, target.secret_env, target.secret_file)
    body = notice.model_dump_json().encode()
    timestamp = f"{datetime.now(UTC).timestamp():.0f}"
    headers = {
        "Content-Type": "application/json",
        NOTICE_ID_HEADER: notice.id,
        TIMESTAMP_HEADER: timestamp,
        SIGNATURE_HEADER: sign_body(secret.encode(), timestamp, body),
    }
    try:
        answer = httpx.post(target.webhook, content=body, headers=headers, timeout=_TIMEOUT_SECONDS)
    except httpx.HTTPError as error:
        msg = f"notify.{name}: the webhook does not answer: {type(error).__name__}"
        raise Unavailable(msg) from None
    status = answer.status_code
    if status < _FIRST_ERROR_STATUS:
        return
    msg = f"notify.{name}: the webhook answered with status {status}"
    if status >= _FIRST_SERVER_ERROR_STATUS or status in _RETRIED_STATUSES:
        raise Unavailable(msg)
    raise Refused(msg)


def _run(name: str, target: NoticeTarget, notice: Notice) -> None:
    environment = {key: os.environ[key] for key in _COMMAND_VARIABLES if key in os.environ}
    try:
        done = subprocess.run(  # noqa: S603 - the policy of this very worker names the command
            list(target.command),
            input=f"{notice.model_dump_json()}\n".encode(),
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_COMMAND_TIMEOUT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        msg = f"notify.{name}: the command ran longer than {_COMMAND_TIMEOUT_SECONDS:.0f} s"
        raise Unavailable(msg) from None
    except OSError as error:
        msg = f"notify.{name}: the command cannot be started: {error.strerror}"
        raise Refused(msg) from None
    if done.returncode:
        msg = f"notify.{name}: the command ended with code {done.returncode}"
        raise Unavailable(msg)


def _send_with_apprise(name: str, target: NoticeTarget, notice: Notice) -> None:
    import apprise  # noqa: PLC0415 - it takes a while to load, and most deployments need none

    urls = _read_secret(name, target.apprise_env, target.apprise_file).split()
    service = apprise.Apprise()
    if not urls or not all(service.add(url) for url in urls):
        msg = (
            f"notify.{name}: {target.apprise_env or target.apprise_file} holds something that is no"
            " Apprise URL: write one such as slack://…"
        )
        raise Refused(msg)
    delivered = service.notify(
        title=notice.title,
        body=notice.text or notice.title,
        body_format=apprise.NotifyFormat.TEXT,
    )
    if not delivered:
        msg = f"notify.{name}: the service did not accept the notice"
        raise Unavailable(msg)


def _read_secret(name: str, variable: str, file: str) -> str:
    """Return the secret; the error says where it is looked for, and never what was found."""
    try:
        value = os.environ[variable] if variable else Path(file).read_text(encoding="utf-8")
    except KeyError:
        msg = f"notify.{name}: the environment variable {variable} is not set here: set it"
        raise Refused(msg) from None
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no UTF-8 text"
        msg = f"notify.{name}: the file {file} cannot be read here: {why}"
        raise Refused(msg) from None
    if not value.strip():
        msg = f"notify.{name}: {variable or file} is empty here: write the secret into it"
        raise Refused(msg)
    return value.strip()
