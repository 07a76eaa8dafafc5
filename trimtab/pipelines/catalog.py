"""Builds the catalog of one run: the shipped entries, overridden by those of the working folder."""

import copy
import json
import re
import warnings
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeAlias
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
_SUFFIXES: Final = frozenset({".yml", ".yaml", ".json"})
_INTERPOLATION: Final = re.compile(r"\$\{(?:runtime_params:\s*(\w+)\s*[,}])?")
"""Each interpolation, with the parameter's name if it is of a parameter alone."""
_CONFIGURATIONS_KEPT: Final = 64
_FORMER_TYPE_PREFIX: Final = "adapters.datasets."
"""Start of the types that an earlier release wrote into entries; they are Trimtab's own."""

YamlValue: TypeAlias = Any
"""A value of a catalog entry."""


def build_catalog(params: Mapping[str, YamlValue]) -> DataCatalog:
    """Return all datasets, and `history` for the model that the parameters name."""
    catalog = read_catalog(params)
    catalog["parameters"] = dict(params)
    bind_history(catalog)
    return catalog


def read_catalog(params: Mapping[str, YamlValue]) -> DataCatalog:
    """Return the configured datasets; raises `Refused` if credentials are missing."""
    shipped = _read_configuration(shipped_conf() / "base", params, "catalog")
    local = _read_configuration(local_conf(), params, "catalog")
    entries = {
        **_resolve_entries(shipped, SHIPPED),
        **_resolve_entries(local, local_conf().parents[1]),
    }
    credentials = _read_configuration(local_conf(), params, "credentials")
    try:
        return DataCatalog.from_config(entries, credentials=credentials)
    except KeyError as error:
        msg = f"{error.args[0]} They belong into {local_conf() / 'credentials.yml'}."
        raise Refused(msg) from None


class _Inputs(NamedTuple):
    """Everything that the resolved configuration of a folder depends on."""

    texts: tuple[tuple[str, str], ...]
    """Paths of the folder's files, and what they hold."""
    params: str
    """The parameters that they name, as JSON."""


def _read_configuration(
    folder: Path, params: Mapping[str, YamlValue], key: str
) -> dict[str, YamlValue]:
    """Return the configuration of one folder; empty if it has no such file.

    Kedro takes longer to read it than many a pipeline runs, so it is kept as long as neither a file
    nor a parameter that one names has changed.
    """
    if not folder.is_dir():
        return {}
    inputs = _read_inputs(folder, params)
    if inputs is None:
        return _resolve_configuration(folder, params, key)
    return copy.deepcopy(_recall_configuration(folder, inputs, key))


def _read_inputs(folder: Path, params: Mapping[str, YamlValue]) -> _Inputs | None:
    """Return what the configuration depends on; None if it may depend on something else too."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix in _SUFFIXES)
    try:
        texts = tuple((str(path), path.read_text(encoding="utf-8")) for path in paths)
        whole = "".join(text for _, text in texts)
        named = [found for found in _INTERPOLATION.findall(whole) if found]
        if len(named) != whole.count("${"):
            return None
        return _Inputs(texts, json.dumps({name: params[name] for name in named if name in params}))
    except (OSError, UnicodeDecodeError, TypeError):
        return None


@lru_cache(maxsize=_CONFIGURATIONS_KEPT)
def _recall_configuration(folder: Path, inputs: _Inputs, key: str) -> dict[str, YamlValue]:
    return _resolve_configuration(folder, json.loads(inputs.params), key)


def _resolve_configuration(
    folder: Path, params: Mapping[str, YamlValue], key: str
) -> dict[str, YamlValue]:
    with warnings.catch_warnings():
        # Kedro itself calls the deprecated function.
        warnings.filterwarnings("ignore", "register_new_resolver", UserWarning)
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
            raise Refused(_find_broken_file(folder, key) or str(error)) from None


class _PlainYamlLoader(OmegaConfigLoader):
    """Kedro's loader with the dialect of YAML that every other file is read in."""

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


def _find_broken_file(folder: Path, key: str) -> str:
    """Return the fault of the first broken file, which Kedro does not name; empty if none is."""
    for path in sorted(folder.rglob(f"{key}*.y*ml")):
        try:
            read_mapping(path)
        except BadConfigurationError as error:
            return error.faults[0]
    return ""


def _resolve_entries(entries: Mapping[str, YamlValue], root: Path) -> dict[str, YamlValue]:
    """Return the entries with relative paths put under `root`, as Kedro's own context does."""
    return {key: _resolve_value(key, value, root) for key, value in entries.items()}


def _resolve_value(key: str, value: YamlValue, root: Path) -> YamlValue:
    if isinstance(value, dict):
        return _resolve_entries(value, root)
    if key in _PATH_KEYS and isinstance(value, str) and not urlparse(value).scheme:
        return str(root / value)
    if key == "type" and str(value).startswith(_FORMER_TYPE_PREFIX):
        return f"trimtab.{value}"
    return value
