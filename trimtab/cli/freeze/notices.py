"""Tells the policy's targets of a freeze, from the machine of whoever froze."""

from datetime import UTC, datetime

from rich.console import Console

from policies.notices import build_freeze_notice
from trimtab.adapters.notice_delivery import NoticeSender
from trimtab.cli.console import print_wrapped
from trimtab.contracts.errors import TrimtabError
from trimtab.contracts.freeze import Freeze
from trimtab.contracts.notice import NoticeDelivery
from trimtab.runtime.models import load_limits


def tell_of_freeze(freeze: Freeze, console: Console, *, ended: bool = False) -> None:
    """Send the notice to every target that wants it, and print who could not be told.

    The freeze is in force whether anybody can be told or not.
    """
    notice = build_freeze_notice(freeze, ended=ended, at=datetime.now(UTC))
    try:
        sender = NoticeSender(load_limits().notify.copy)
        targets = sender.list_targets(notice.kind)
    except TrimtabError as error:
        print_wrapped(console, f"Nobody was told: {error}", style="yellow")
        return
    for target in targets:
        try:
            sender.send(NoticeDelivery(target=target, notice=notice))
        except TrimtabError as error:
            print_wrapped(console, f"Not told: {error}", style="yellow")
