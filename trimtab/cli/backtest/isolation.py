"""Keeps a backtest away from the servers, keys and logs that production is configured to use."""

import os
from collections.abc import MutableMapping
from pathlib import Path
from typing import Final

from trimtab.runtime.settings import Settings
from trimtab.runtime.settings_sections import (
    AuditSettings,
    ChromaSettings,
    EventSettings,
    GrantSettings,
    RedisSettings,
    TemporalSettings,
)

_PRODUCTION_PREFIXES: Final = (
    "TRIMTAB_TEMPORAL__", "TRIMTAB_REDIS__", "TRIMTAB_CHROMA__", "TRIMTAB_AUDIT__",
    "TRIMTAB_GRANTS__", "TRIMTAB_EVENTS__", "TEMPORAL_", "MLFLOW_TRACKING_URI",
    "MLFLOW_REGISTRY_URI",
)  # fmt: skip
"""Beginnings of the variables that say where production is."""
PRODUCTION_OVERRIDES: Final = dict.fromkeys(
    (
        "TRIMTAB_TEMPORAL__NAMESPACE", "TRIMTAB_TEMPORAL__PROFILE", "TRIMTAB_CHROMA__URL",
        "TRIMTAB_AUDIT__DIRECTORY", "TRIMTAB_AUDIT__KEY", "TRIMTAB_GRANTS__PRIVATE_KEY",
        "TRIMTAB_GRANTS__PUBLIC_KEY", "TRIMTAB_EVENTS__KEY",
        "TRIMTAB_EVENTS__PUBLIC_KEY",
    ),
    "null",
) | {"TRIMTAB_EVENTS__PUBLISHERS": "{}"}  # fmt: skip
"""Variables for the processes of a backtest, which also read conf/local/trimtab.yml."""


def forget_production(variables: MutableMapping[str, str]) -> None:
    """Remove what says where production is, for this process and for whatever it starts.

    Temporal's own configuration file would give the `temporal` command another namespace.
    """
    for name in [each for each in variables if each.startswith(_PRODUCTION_PREFIXES)]:
        del variables[name]
    variables["TEMPORAL_CONFIG_FILE"] = os.devnull


def isolate_settings(settings: Settings, *, home: Path) -> Settings:
    """Return the settings with everything that is kept or served in a home of its own."""
    return settings.model_copy(
        update={
            "home": home,
            "temporal": TemporalSettings(),
            "redis": RedisSettings(),
            "chroma": ChromaSettings(),
            "audit": AuditSettings(),
            "events": EventSettings(),
            "grants": GrantSettings(lifetime=settings.grants.lifetime),
            "mlflow_tracking_uri": None,
        }
    )
