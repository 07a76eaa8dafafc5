"""Keeps a backtest away from the servers, keys and logs that production is configured to use."""

import os
from collections.abc import MutableMapping
from pathlib import Path
from typing import Final

from trimtab.runtime.settings import Settings
from trimtab.runtime.settings_sections import (
    AuditSettings,
    ChromaSettings,
    GrantSettings,
    RedisSettings,
    TemporalSettings,
)

_OF_PRODUCTION: Final = (
    "TRIMTAB_TEMPORAL__", "TRIMTAB_REDIS__", "TRIMTAB_CHROMA__", "TRIMTAB_AUDIT__",
    "TRIMTAB_GRANTS__", "TEMPORAL_", "MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI",
)  # fmt: skip
"""How variables begin that say where production is."""
OVERRULED: Final = dict.fromkeys(
    (
        "TRIMTAB_TEMPORAL__NAMESPACE", "TRIMTAB_TEMPORAL__PROFILE", "TRIMTAB_CHROMA__URL",
        "TRIMTAB_AUDIT__DIRECTORY", "TRIMTAB_AUDIT__KEY", "TRIMTAB_GRANTS__PRIVATE_KEY",
        "TRIMTAB_GRANTS__PUBLIC_KEY",
    ),
    "null",
)  # fmt: skip
"""For the processes of a backtest, which read conf/local/trimtab.yml too."""


def forget_production(variables: MutableMapping[str, str]) -> None:
    """Take out what says where production is, for us and for whatever we start.

    Temporal's own configuration file would give the `temporal` command another namespace.
    """
    for name in [each for each in variables if each.startswith(_OF_PRODUCTION)]:
        del variables[name]
    variables["TEMPORAL_CONFIG_FILE"] = os.devnull


def isolated(settings: Settings, *, home: Path) -> Settings:
    """The same, with everything that is kept or served in a home of its own."""
    return settings.model_copy(
        update={
            "home": home,
            "temporal": TemporalSettings(),
            "redis": RedisSettings(),
            "chroma": ChromaSettings(),
            "audit": AuditSettings(),
            "grants": GrantSettings(lifetime=settings.grants.lifetime),
            "mlflow_tracking_uri": None,
        }
    )
