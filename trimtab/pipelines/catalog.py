"""Builds the catalog of one run: the checkout's entries under those of the working directory."""

import warnings
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlparse

from kedro.config import MissingConfigException, OmegaConfigLoader
from kedro.io import DataCatalog
from omegaconf import DictConfig, OmegaConf
from typing_extensions import override
from yaml import YAMLError

from trimtab.contracts.ports import Refused
from trimtab.pipelines.hooks import bind_history
from trimtab.runtime.configuration import read_mapping
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.paths import SHIPPED, local_conf, shipped_conf

_PATH_KEYS: Final = frozenset({"filepath", "filename", "path"})
_FORMER_TYPES: Final = "adapters.datasets."
"""How entries that an earlier release wrote begin the types that are now Trimtab's own."""


def build_catalog(params: Mapping[str, Any]) -> DataCatalog:
    """All datasets, with the history of the model that the parameters name."""
    catalog = read_catalog(params)
    catalog["parameters"] = dict(params)
    bind_history(catalog)
    return catalog


def read_catalog(params: Mapping[str, Any]) -> DataCatalog:
    """What is configured."""
    shipped = _read(shipped_conf() / "base", params, "catalog")
    local = _read(local_conf(), params, "catalog")
    entries = {
        **_absolute(shipped, SHIPPED),
        **_absolute(local, local_conf().parents[1]),
    }
    credentials = _read(local_conf(), params, "credentials")
    try:
        return DataCatalog.from_config(entries, credentials=credentials)
    except KeyError as error:
        msg = f"{error.args[0]} They belong into {local_conf() / 'credentials.yml'}."
        raise Refused(msg) from None


def _read(folder: Path, params: Mapping[str, Any], key: str) -> dict[str, Any]:
    """What one folder configures; nothing where it has no such file."""
    if not folder.is_dir():
        return {}
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "register_new_resolver", UserWarning)  # Kedro's own
        loader = _PlainYamlLoader(
            conf_source=str(folder.parent),
            base_env=folder.name,
            default_run_env=folder.name,
            runtime_params=dict(params),
        )
        try:
            return dict(loader[key])
        except MissingConfigException:
            return {}
        except BadConfigurationError as error:
            raise Refused(str(error)) from None
        except YAMLError as error:
            raise Refused(_broken_file(folder, key) or str(error)) from None


class _PlainYamlLoader(OmegaConfigLoader):
    """Kedro's loader, but for the dialect of YAML: the same as in every other file."""

    @override
    def _read_dir_configs(
        self,
        conf_path: str,
        patterns: Iterable[str],
        key: str,
        processed_files: set[Path],
        read_environment_variables: bool | None = False,
    ) -> dict[Path, DictConfig]:
        found = super()._read_dir_configs(
            conf_path, patterns, key, processed_files, read_environment_variables
        )
        plain = {path: OmegaConf.create(read_mapping(path)) for path in found}
        if read_environment_variables:
            for config in plain.values():
                self._resolve_environment_variables(config)
        return plain


def _broken_file(folder: Path, key: str) -> str:
    """Kedro does not say which of the files it cannot read."""
    for path in sorted(folder.rglob(f"{key}*.y*ml")):
        try:
            read_mapping(path)
        except BadConfigurationError as error:
            return error.faults[0]
    return ""


def _absolute(entries: Mapping[str, Any], root: Path) -> dict[str, Any]:
    """The entries with their relative paths under the root, as Kedro's own context does it."""
    return {key: _resolved(key, value, root) for key, value in entries.items()}


def _resolved(key: str, value: Any, root: Path) -> Any:  # noqa: ANN401 - YAML
    if isinstance(value, dict):
        return _absolute(value, root)
    if key in _PATH_KEYS and isinstance(value, str) and not urlparse(value).scheme:
        return str(root / value)
    if key == "type" and str(value).startswith(_FORMER_TYPES):
        return f"trimtab.{value}"
    return value
