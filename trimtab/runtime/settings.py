"""One typed settings object: `conf/base/trimtab.yml` → `conf/local/trimtab.yml` → environment.

Environment variables start with TRIMTAB_ and part levels by two underscores, such as
TRIMTAB_REDIS__URL; MLFLOW_TRACKING_URI, OLLAMA_HOST and LANGFUSE_* keep their own names.
"""

import difflib
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    AliasChoices,
    AnyUrl,
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    SecretStr,
    UrlConstraints,
    ValidationError,
)
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    YamlConfigSettingsSource,
)

from trimtab.contracts.errors import ErrorKind, TrimtabError
from trimtab.runtime.paths import local_conf, shipped_conf

_PREFIX: Final = "TRIMTAB_"
_NEAR: Final = 0.8
"""Likeness from which a name is a slip of the pen."""
Moment = Annotated[timedelta, Field(gt=timedelta(0))]
"""A span that takes time."""
RedisUrl = Annotated[AnyUrl, UrlConstraints(allowed_schemes=["redis", "rediss", "unix"])]


def _known_analyst(name: str) -> str:
    if not re.fullmatch(r"analyst/rules|ollama/\S+|gemini-\S+", name):
        msg = "unknown analyst: write analyst/rules, ollama/<model> or gemini-<model>"
        raise ValueError(msg)
    return name


class Section(BaseModel):
    """A part of the settings: unknown keys are faults."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class TemporalSettings(Section):
    """Where Temporal is."""

    address: str | None = None
    """host:port; None for Temporal's own environment profile, or else the embedded server."""
    namespace: str | None = None
    """None for the profile's, or else "default"."""
    profile: str | None = None
    """Name of a profile in Temporal's own configuration file."""
    ui_url: HttpUrl | None = None
    """Where people find the Web UI; only shown, never called."""


class RedisSettings(Section):
    """Where the events come from."""

    url: RedisUrl | None = None
    """None for the embedded server."""
    stream: str = "drift-events"
    group: str = "drift-responders"
    dead_letters: str = "drift-events.dead"


class BridgeSettings(Section):
    """How the bridge reads."""

    consumer: str | None = None
    """Name in the consumer group; None for the host name. Keep it across restarts."""
    open_starts: int = Field(default=64, ge=1, le=1024)
    """Most workflow starts under way at once."""
    block: Moment = timedelta(seconds=2)
    """How long one read waits for new entries."""
    claim_after: Moment = timedelta(seconds=60)
    """Idle time after which another consumer's entry is taken over."""
    max_deliveries: int = Field(default=5, ge=1)
    """Deliveries after which an entry counts as poison."""


class ChromaSettings(Section):
    """Where the knowledge base is."""

    url: HttpUrl | None = None
    """A Chroma server; None for the embedded one on disk."""


class AnalystSettings(Section):
    """Which language model answers."""

    model: Annotated[str, AfterValidator(_known_analyst)] = "analyst/rules"
    timeout: Moment = timedelta(seconds=60)
    """For one model call."""
    deliberation_timeout: Moment = timedelta(minutes=4)
    """For a whole deliberation; after it the incident escalates."""


class GrantSettings(Section):
    """Keys that authorise actions; made on first use when embedded."""

    private_key: Path | None = None
    """PEM file, Ed25519; only where grants are minted. None for `.trimtab/keys/grant.pem`."""
    public_key: Path | None = None
    """PEM file; where actions are run. None for `.trimtab/keys/grant.pub.pem`."""
    lifetime: Moment = timedelta(hours=2)


class AuditSettings(Section):
    """Where the audit log is and what it is keyed with."""

    directory: Path | None = None
    """None for `.trimtab/audit`. Workers on several machines need a shared volume."""
    key: Path | None = None
    """File with the HMAC key. None for `.trimtab/keys/audit.key`."""


class WorkerSettings(Section):
    """How much one worker does at once."""

    activities: int = Field(default=20, ge=1)
    pipelines: int = Field(default=1, ge=1)
    """Processes that load models and data."""
    grace: Annotated[timedelta, Field(ge=timedelta(0))] = timedelta(seconds=5)
    """What activities have to finish when the worker is told to stop; Temporal tries the rest
    again elsewhere."""


class TelemetrySettings(Section):
    """Logs and traces."""

    log_level: str = Field(default="INFO", pattern=r"^(DEBUG|INFO|WARNING|ERROR)$")
    otlp_endpoint: HttpUrl | None = None
    """OTLP over HTTP, such as http://127.0.0.1:4318/v1/traces; None for no export."""


class BacktestSettings(Section):
    """Only for replays of history; set by `trimtab backtest` for the bridge that it starts."""

    replay: bool = False
    """Whether an event's own time stands for now in policy questions."""
    approval_timeout: timedelta | None = None
    """Waits this long for a person instead of the policy's time; None for the policy's."""


class Settings(BaseSettings):
    """Everything that can be set, with where it comes from."""

    model_config = SettingsConfigDict(
        env_prefix="TRIMTAB_",
        env_nested_delimiter="__",
        env_parse_none_str="null",
        extra="forbid",
        frozen=True,
    )

    home: Path = Path(".trimtab")
    """Folder for everything that embedded parts keep."""
    backtest: BacktestSettings = BacktestSettings()
    temporal: TemporalSettings = TemporalSettings()
    redis: RedisSettings = RedisSettings()
    bridge: BridgeSettings = BridgeSettings()
    chroma: ChromaSettings = ChromaSettings()
    analyst: AnalystSettings = AnalystSettings()
    grants: GrantSettings = GrantSettings()
    audit: AuditSettings = AuditSettings()
    worker: WorkerSettings = WorkerSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    mlflow_tracking_uri: str | None = Field(
        default=None,
        validation_alias=AliasChoices("MLFLOW_TRACKING_URI", "mlflow_tracking_uri"),
    )
    """None for SQLite under `home`."""
    ollama_host: str = Field(
        default="http://127.0.0.1:11434",
        validation_alias=AliasChoices("OLLAMA_HOST", "ollama_host"),
    )
    langfuse_public_key: str | None = Field(
        default=None,
        validation_alias=AliasChoices("LANGFUSE_PUBLIC_KEY", "langfuse_public_key"),
    )
    """Langfuse is off without both keys."""
    langfuse_secret_key: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("LANGFUSE_SECRET_KEY", "langfuse_secret_key"),
    )
    langfuse_base_url: HttpUrl | None = Field(
        default=None,
        validation_alias=AliasChoices("LANGFUSE_BASE_URL", "LANGFUSE_HOST", "langfuse_base_url"),
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the base class's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags win over the environment, the environment over files."""
        local = YamlConfigSettingsSource(settings_cls, yaml_file=local_conf() / "trimtab.yml")
        base = YamlConfigSettingsSource(
            settings_cls, yaml_file=shipped_conf() / "base" / "trimtab.yml"
        )
        return init_settings, env_settings, local, base

    @property
    def tracking_uri(self) -> str:
        """MLflow's tracking and registry address."""
        return self.mlflow_tracking_uri or f"sqlite:///{self.home.absolute() / 'mlflow.db'}"


class BadConfigurationError(TrimtabError):
    """The configuration is wrong: one line a fault, all of them."""

    kind = ErrorKind.INVALID_INPUT

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self._faults = faults

    @property
    def faults(self) -> list[str]:
        """One line for each fault."""
        return self._faults


def load_settings(**flags: Any) -> Settings:  # noqa: ANN401 - whatever the command line gives
    """The settings; raises `BadConfigurationError` with every fault at once."""
    from trimtab.runtime.configuration import faults_in, read_mapping  # noqa: PLC0415 - it imports this module

    local = local_conf() / "trimtab.yml"
    if local.exists():
        read_mapping(local)  # tells what is no YAML, or no mapping
    faults = list(_misspelt(os.environ))
    try:
        settings = Settings(**flags)
    except ValidationError as error:
        thing = f"flags, environment or {local}"
        raise BadConfigurationError([*faults, *faults_in(error, Settings, thing=thing)]) from None
    if faults:
        raise BadConfigurationError(faults)
    return settings


def unknown_variables(environ: Iterable[str]) -> dict[str, str]:
    """Variables named like ours that nobody reads, each with the one that was probably meant."""
    known = {name.removeprefix(_PREFIX) for name in _variables(Settings, _PREFIX)}
    asked = (name.upper() for name in environ)
    ours = {name.removeprefix(_PREFIX) for name in asked if name.startswith(_PREFIX)}
    near = {name: difflib.get_close_matches(name, known, n=1, cutoff=_NEAR) for name in ours}
    return {
        _PREFIX + name: f"{_PREFIX}{meant[0]}" if meant else ""
        for name, meant in sorted(near.items())
        if name not in known
    }


def _misspelt(environ: Mapping[str, str]) -> Iterator[str]:
    for name, meant in unknown_variables(environ).items():
        if meant:
            yield f"environment: {name}: no such setting: did you mean {meant}?"


def _variables(section: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in section.model_fields.items():
        variable = prefix + name.upper()
        if field.validation_alias is None:
            yield variable
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from _variables(field.annotation, f"{variable}__")


def describe(error: ValidationError, *, thing: str) -> list[str]:
    """One line a fault: the thing, the key, the value and what is wrong with it."""
    return [
        f"{thing}: {'.'.join(str(part) for part in fault['loc']) or '(whole)'}"
        f" = {fault['input']!r:.120}: {fault['msg']}"
        for fault in error.errors(include_url=False)
    ]
