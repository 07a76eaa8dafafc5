"""Finds the configuration files of models: in `conf/local` of the working directory, and shipped.

A model is called as its file's `name` says, whatever the file is called. A local file replaces the
shipped one of the same model.
"""

from collections.abc import Iterator
from pathlib import Path

from trimtab.contracts.slug import slug
from trimtab.runtime.backtest_homes import DEMO_MODEL, is_demo_home
from trimtab.runtime.configuration import read_mapping
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.paths import local_conf, shipped_conf


def list_model_names() -> tuple[str, ...]:
    """Return every configured model's name, sorted; a broken file stands under its stem."""
    return tuple(sorted({_read_name(path) for path in (*_list_shipped(), *_list_local())}))


def list_own_model_names(home: Path) -> tuple[str, ...]:
    """Return the names of the models of this folder: the demo's only where `home` is the demo's."""
    shipped = {_read_name(path) for path in _list_shipped()}
    if not is_demo_home(home):
        shipped.discard(DEMO_MODEL)
    return tuple(sorted(shipped | {_read_name(path) for path in _list_local()}))


def find_model_file(name: str) -> Path | None:
    """Return the model's file, the local one first; None if the model is not configured.

    Raises:
        BadConfigurationError: Several local files are of this model.
    """
    return find_local_model_file(name) or _find_by_name(name, _list_shipped())


def find_local_model_file(name: str) -> Path | None:
    """Return the model's file in `conf/local`, or None.

    Raises:
        BadConfigurationError: Several files are of this model.
    """
    return _find_by_name(name, _list_local())


def find_model_of_file(stem: str) -> str:
    """Return the name of the model in the file of this stem; "" if there is no such file."""
    found = [path for path in (*_list_local(), *_list_shipped()) if path.stem == stem]
    return _read_name(found[0]) if found else ""


def build_local_model_path(name: str) -> Path:
    """Return the path of a new model's file in `conf/local`."""
    return local_conf() / "models" / f"{slug(name)}.yml"


def _find_by_name(name: str, paths: list[Path]) -> Path | None:
    usual = [path for path in paths if path.stem == slug(name)]
    if usual and _read_name(usual[0]) == name:
        return usual[0]  # without reading the files of all other models
    found = [path for path in paths if _read_name(path) == name]
    if len(found) > 1:
        files = " and ".join(map(str, found))
        raise BadConfigurationError([f"{files}: both have name = {name!r}: remove one"])
    return found[0] if found else None


def check_duplicate_models() -> Iterator[str]:
    """Yield each model that several local files are of."""
    names = [_read_name(path) for path in _list_local()]
    for name in sorted({name for name in names if names.count(name) > 1}):
        files = [str(path) for path in _list_local() if _read_name(path) == name]
        yield f"{' and '.join(files)}: both have name = {name!r}: remove one"


def _list_local() -> list[Path]:
    return sorted((local_conf() / "models").glob("*.yml"))


def _list_shipped() -> list[Path]:
    return sorted((shipped_conf() / "base" / "models").glob("*.yml"))


def _read_name(path: Path) -> str:
    try:
        return str(read_mapping(path).get("name", path.stem))
    except BadConfigurationError:
        return path.stem
