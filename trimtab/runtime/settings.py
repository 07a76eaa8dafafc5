"""One typed settings object: `conf/base/trimtab.yml` → `conf/local/trimtab.yml` → environment.

Environment variables start with TRIMTAB_ and separate levels by two underscores, such as
TRIMTAB_REDIS__URL; MLFLOW_TRACKING_URI, OLLAMA_HOST and LANGFUSE_* keep their own names.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from pydantic import AliasChoices, BaseModel, Field, HttpUrl, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from trimtab.contracts.suggestions import suggest_name
from trimtab.runtime.configuration import format_configuration_errors, read_mapping
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.paths import local_conf, shipped_conf
from trimtab.runtime.settings_sections import (
    AnalystSettings,
    ApproverSettings,
    AuditSettings,
    BacktestSettings,
    BridgeSettings,
    ChromaSettings,
    EventSettings,
    GrantSettings,
    RedisSettings,
    Section,
    TelemetrySettings,
    TemporalSettings,
    WorkerSettings,
)

_PREFIX: Final = "TRIMTAB_"
_FILE: Final = "trimtab.yml"
_SIMILARITY: Final = 0.8
"""Similarity from which an unknown variable is taken for a misspelt one."""


class Settings(BaseSettings):
    """Everything that can be set, and the sources it is read from."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX,
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
    events: EventSettings = EventSettings()
    chroma: ChromaSettings = ChromaSettings()
    analyst: AnalystSettings = AnalystSettings()
    grants: GrantSettings = GrantSettings()
    approver: ApproverSettings = ApproverSettings()
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
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources: flags win over the environment, the environment over files.

        Raises:
            BadConfigurationError: A file cannot be read.
        """
        del dotenv_settings, file_secret_settings  # not among our sources
        files = (local_conf() / _FILE, shipped_conf() / "base" / _FILE)
        contents = [read_mapping(file) if file.exists() else {} for file in files]
        from_files = [InitSettingsSource(settings_cls, content) for content in contents]
        return init_settings, env_settings, *from_files

    @property
    def tracking_uri(self) -> str:
        """MLflow's tracking and registry address."""
        return self.mlflow_tracking_uri or f"sqlite:///{self.home.absolute() / 'mlflow.db'}"


def load_settings(**flags: object) -> Settings:
    """Return the settings; flags are top-level settings that win over every other source.

    Raises:
        BadConfigurationError: Everything that is wrong, at once.
    """
    faults = [
        f"environment: {name}: no such setting: did you mean {meant}?"
        for name, meant in find_unknown_variables(os.environ).items()
        if meant
    ]
    try:
        settings = Settings.model_validate(flags)
    except ValidationError as error:
        thing = f"flags, environment or {local_conf() / _FILE}"
        faults += format_configuration_errors(error, Settings, thing=thing)
        raise BadConfigurationError(faults) from None
    if faults:
        raise BadConfigurationError(faults)
    return settings


def find_unknown_variables(environ: Iterable[str]) -> dict[str, str]:
    """Return variables named like ours that no setting reads, each with the one probably meant.

    The second is "" where no variable of ours is similar.
    """
    known = {name.removeprefix(_PREFIX) for name in _list_variables(Settings, _PREFIX)}
    upper = sorted({name.upper() for name in environ})
    ours = [name.removeprefix(_PREFIX) for name in upper if name.startswith(_PREFIX)]
    unknown = [name for name in ours if name not in known]
    meant = {name: suggest_name(name, known, similarity=_SIMILARITY) for name in unknown}
    return {_PREFIX + name: near and _PREFIX + near for name, near in meant.items()}


def _list_variables(section: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in section.model_fields.items():
        variable = prefix + name.upper()
        if field.validation_alias is None:
            yield variable
        if isinstance(field.annotation, type) and issubclass(field.annotation, Section):
            yield from _list_variables(field.annotation, f"{variable}__")
