"""The sections of the settings: what can be set in each, and its default."""

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import (
    AfterValidator,
    AnyUrl,
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    UrlConstraints,
)

PositiveDuration = Annotated[timedelta, Field(gt=timedelta(0))]
RedisUrl = Annotated[AnyUrl, UrlConstraints(allowed_schemes=["redis", "rediss", "unix"])]


def _check_analyst(name: str) -> str:
    if not re.fullmatch(r"analyst/rules|ollama/\S+|gemini-\S+", name):
        msg = "unknown analyst: write analyst/rules, ollama/<model> or gemini-<model>"
        raise ValueError(msg)
    return name


class Section(BaseModel):
    """A section of the settings: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TemporalSettings(Section):
    """Address of Temporal."""

    address: str | None = None
    """host:port; None for Temporal's own environment profile, or else the embedded server."""
    namespace: str | None = None
    """None for the profile's, or else "default"."""
    profile: str | None = None
    """Name of a profile in Temporal's own configuration file."""
    ui_url: HttpUrl | None = None
    """Address of the Web UI for people; it is shown and never called."""


class RedisSettings(Section):
    """Redis server and names of the streams."""

    url: RedisUrl | None = None
    """None for the embedded server."""
    stream: str = "drift-events"
    group: str = "drift-responders"
    dead_letters: str = "drift-events.dead"


class BridgeSettings(Section):
    """Limits and times of the bridge."""

    consumer: str | None = None
    """Name in the consumer group; None for the host name. Keep it across restarts."""
    open_starts: int = Field(default=64, ge=1, le=1024)
    """Maximum number of workflow starts under way at once."""
    open_incidents: int = Field(default=32, ge=1)
    """Maximum number of incidents that are investigated or decided at once; events beyond it wait
    in the stream. Incidents that wait for a person or for a training do not count."""
    block: PositiveDuration = timedelta(seconds=2)
    """Time that one read waits for new entries."""
    claim_after: PositiveDuration = timedelta(seconds=60)
    """Idle time after which another consumer's entry is claimed."""
    max_deliveries: int = Field(default=5, ge=1)
    """Deliveries after which an entry is moved to the dead letters."""


class ChromaSettings(Section):
    """Address of the knowledge base."""

    url: HttpUrl | None = None
    """A Chroma server; None for the embedded one on disk."""


class AnalystSettings(Section):
    """Language model of the agents, and its time limits."""

    model: Annotated[str, AfterValidator(_check_analyst)] = "analyst/rules"
    timeout: PositiveDuration = timedelta(seconds=60)
    """Time for one model call."""
    deliberation_timeout: PositiveDuration = timedelta(minutes=4)
    """Time for a whole deliberation; after it the incident escalates."""


class GrantSettings(Section):
    """Keys that authorise actions; made on first use when embedded."""

    private_key: Path | None = None
    """PEM file, Ed25519; only where grants are minted. None for `.trimtab/keys/grant.pem`."""
    public_key: Path | None = None
    """PEM file; where actions are run. None for `.trimtab/keys/grant.pub.pem`."""
    secret: Path | None = None
    """File with the key that grants are encrypted with, where they are minted and where actions are
    run. None for `grant.secret` beside the public key."""
    lifetime: PositiveDuration = timedelta(hours=2)


class ApproverSettings(Section):
    """Who answers with `trimtab approve` and `trimtab reject`, and the key that signs."""

    name: str | None = None
    """The approver's name in the policy; None for the operating system's user."""
    key: Path | None = None
    """File with a private Ed25519 key, in PEM or OpenSSH form. None for
    `~/.config/trimtab/approver.pem`, if it exists."""


class EventSettings(Section):
    """The key that our own detectors sign events with, and the publishers whose events may act."""

    key: Path | None = None
    """PEM file, Ed25519, made on first use; where events are published. None for
    `.trimtab/keys/events.pem`."""
    public_key: Path | None = None
    """PEM file with its public half; where events are received and where grants are minted. None
    for `<stem>.pub.pem` beside the private key."""
    publishers: dict[str, Path] = Field(default_factory=dict)
    """PEM files with the public keys of further publishers, by name; where events are received and
    where grants are minted."""


class AuditSettings(Section):
    """Folder of the audit log, and its key."""

    directory: Path | None = None
    """None for `.trimtab/audit`. Workers on several machines need a shared volume."""
    key: Path | None = None
    """File with the HMAC key. None for `.trimtab/keys/audit.key`."""
    sweep_every: PositiveDuration = timedelta(minutes=1)
    """Interval at which incidents are looked for whose workflow is gone."""
    reconcile_every: PositiveDuration = timedelta(hours=1)
    """Interval at which the log is held against the registry and Temporal."""


class WorkerSettings(Section):
    """Concurrency of one worker."""

    activities: int = Field(default=20, ge=1)
    workflow_tasks: int = Field(default=4, ge=2)
    """Maximum number of workflow tasks at once. Tasks of one process share its interpreter: more
    of them make each slower, until Temporal takes it for a deadlock (TMPRL1101)."""
    workflow_threads: int = Field(default=2, ge=1)
    """Threads for those tasks."""
    pipelines: int = Field(default=1, ge=1)
    """Processes that load models and data."""
    grace: Annotated[timedelta, Field(ge=timedelta(0))] = timedelta(seconds=5)
    """Time that activities have to finish when the worker stops; Temporal retries the others on
    another worker."""


class TelemetrySettings(Section):
    """Logs and traces."""

    log_level: str = Field(default="INFO", pattern=r"^(DEBUG|INFO|WARNING|ERROR)$")
    otlp_endpoint: HttpUrl | None = None
    """OTLP over HTTP, such as http://127.0.0.1:4318/v1/traces; None for no export."""


class BacktestSettings(Section):
    """Only for replays of history; set by `trimtab backtest` for the bridge that it starts."""

    replay: bool = False
    """Whether policy rules take an event's own time as the present."""
    approval_timeout: timedelta | None = None
    """Time to wait for a person, instead of the policy's; None for the policy's."""
