"""Runs `trimtab notify`: sends a test notice with the sender that the workers use."""

import socket
from datetime import UTC, datetime
from uuid import uuid4

from rich.console import Console

from trimtab.adapters.notice_delivery import NoticeSender
from trimtab.cli.console import print_wrapped
from trimtab.cli.errors import ExitCode
from trimtab.contracts.notice import Notice, NoticeDelivery, NoticeKind, NoticeTarget
from trimtab.contracts.ports import Refused, Unavailable
from trimtab.contracts.suggestions import suggest_name
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.local_user import get_local_user
from trimtab.runtime.models import load_limits
from trimtab.runtime.paths import local_conf

_TITLE = "Test notice of Trimtab"


def run_notify(target: str | None) -> ExitCode:
    """Send the notice to one target, or to all; raise `BadConfigurationError` if there is none."""
    targets = load_limits().notify
    names = _choose_targets(target, targets)
    sender, notice = NoticeSender(targets.copy), _build_test_notice(datetime.now(UTC))
    console, failed = Console(), False
    for name in names:
        try:
            sender.send(NoticeDelivery(target=name, notice=notice))
        except (Refused, Unavailable) as error:
            failed = True
            print_wrapped(console, f"Not sent: {error}", style="yellow")
        else:
            print_wrapped(console, f"Sent: notify.{name} ({_format_way(targets[name])})")
    return ExitCode.FAILED if failed else ExitCode.OK


def _choose_targets(name: str | None, targets: dict[str, NoticeTarget]) -> list[str]:
    if not targets:
        fault = f"notify = {{}}: the policy has no target: add one to {local_conf() / 'policy.yml'}"
        raise BadConfigurationError([fault])
    if name is None:
        return sorted(targets)
    if name not in targets:
        meant, known = suggest_name(name, targets), ", ".join(sorted(targets))
        hint = f": did you mean {meant}?" if meant else ""
        raise BadConfigurationError([f"TARGET = {name!r}: the policy has {known}{hint}"])
    return [name]


def _build_test_notice(at: datetime) -> Notice:
    user = get_local_user() or "somebody"
    return Notice(
        id=f"test-{uuid4().hex}",
        kind=NoticeKind.TEST,
        title=_TITLE,
        text=(
            f"{user} sent this from {socket.gethostname()} at {at:%Y-%m-%d %H:%M} UTC to try the"
            " target. It is about no incident, and nothing has to be done."
        ),
        at=at,
    )


def _format_way(target: NoticeTarget) -> str:
    """Return by which way a target was reached, and what its acceptance means."""
    if target.webhook:
        return "the webhook accepted it"
    if target.command:
        return "the command ended with code 0"
    return "the service accepted it"
