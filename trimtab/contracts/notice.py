"""What people are told of an incident, and where it goes."""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field

from trimtab.contracts.base import Name, Record, Text


class NoticeKind(StrEnum):
    """Reasons to tell people something."""

    ASKED = "asked"
    """A question waits for a person."""
    REMINDER = "reminder"
    """The question is still open."""
    LAST_CALL = "last_call"
    """The question is about to expire: for the second rank."""
    CLOSED = "closed"
    """An incident that asked a person, changed something, or found broken data has ended."""
    FAILED = "failed"
    """An authorised action could not be carried out."""
    FROZEN = "frozen"
    """Somebody froze a model, or all of them, or lifted the freeze."""
    STUCK = "stuck"
    """An incident does not go on by itself."""
    DISCREPANCY = "discrepancy"
    """The audit log disagrees with the registry or with Temporal."""
    TEST = "test"
    """Somebody tries a target with `trimtab notify`; it goes there whatever its kinds are."""


FIRST_RANK = tuple(
    kind for kind in NoticeKind if kind not in {NoticeKind.LAST_CALL, NoticeKind.TEST}
)


def _check_variable(name: str) -> str:
    if not re.fullmatch(r"\w*", name):
        msg = "write the name of an environment variable of the workers, which holds the value"
        raise ValueError(msg)
    return name


def _check_webhook(address: str) -> str:
    if address and not re.fullmatch(r"https?://[^\s@]+", address):
        msg = "write https://host/path, without user and password: secret_env names the secret"
        raise ValueError(msg)
    return address


VariableName = Annotated[str, Field(max_length=200), AfterValidator(_check_variable)]
"""Name of an environment variable, or "" for none."""
WebhookAddress = Annotated[str, Field(max_length=2000), AfterValidator(_check_webhook)]
"""Address of a webhook, or "" for none."""


class NoticeTarget(Record):
    """Where notices go: to a service by its Apprise URL, to a webhook, or to a command.

    Secrets never stand here, because the policy travels with the incident: they are named by an
    environment variable or a file of the worker.
    """

    apprise_env: VariableName = ""
    """Environment variable of the worker that holds an Apprise URL, such as slack://…."""
    apprise_file: str = Field(default="", max_length=4096)
    """File of the worker that holds Apprise URLs, one a line."""
    webhook: WebhookAddress = ""
    """Address that gets a POST with the notice as JSON; it holds no password."""
    secret_env: VariableName = ""
    """Environment variable with the secret that signs the webhook (HMAC-SHA-256)."""
    secret_file: str = Field(default="", max_length=4096)
    """File with that secret."""
    command: tuple[str, ...] = ()
    """Program and arguments; it reads the notice as JSON from its standard input."""
    kinds: tuple[NoticeKind, ...] = FIRST_RANK
    """The notices that go there. A target of the second rank has `[last_call]`."""


def check_target(target: NoticeTarget) -> Iterator[str]:
    """Yield what is wrong with a target as a person wrote it."""
    services = [target.apprise_env, target.apprise_file]
    ways = [any(services), target.webhook, target.command]
    if sum(map(bool, ways)) != 1 or all(services):
        yield "write one of apprise_env, apprise_file, webhook and command"
    if target.webhook and bool(target.secret_env) == bool(target.secret_file):
        yield "a webhook is signed: write one of secret_env and secret_file"


class Notice(Record):
    """One message about one event; the same event always has the same id."""

    id: Name
    """Id by which a receiver recognises a message that arrives twice."""
    kind: NoticeKind
    model: str = ""
    """Empty for all models."""
    incident: str = ""
    """The event id; empty if it is about no incident."""
    workflow_id: str = ""
    correlation_id: str = ""
    title: str = Field(max_length=300)
    text: Text = ""
    """The message, in plain text."""
    ending: str = ""
    """How the incident ended, once it has."""
    at: AwareDatetime
    deadline: AwareDatetime | None = None
    """End of the time to answer, if a question is open."""


class NoticeDelivery(Record):
    """Input of the activity `send_notice`: a notice for one target of the policy."""

    target: Name
    notice: Notice


class PageMark(Record):
    """Input of the activity `mark_page`: what a page in the folder of pages says from now on."""

    workflow_id: str
    mark: str = Field(max_length=300)
    """The first line, such as "ANSWERED: approved by ada"."""
