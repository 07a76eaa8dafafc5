"""Binds the dataset `history` to the entry that the model's configuration names."""

from typing import Any, Protocol, Self, runtime_checkable

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog

from trimtab.contracts.ports import Refused


@runtime_checkable
class Timed(Protocol):
    """A dataset that can read the times in one of its columns by itself, once."""

    def with_timestamp(self, column: str) -> Self:
        """The same dataset, reading times there."""


class HistoryHooks:
    """For `kedro run`, which knows nothing of models."""

    @hook_impl
    def after_catalog_created(self, catalog: DataCatalog, parameters: dict[str, Any]) -> None:
        """Bind the history of the model that the run is about, if it is about one."""
        if parameters.get("params:model"):
            bind_history(catalog)


def bind_history(catalog: DataCatalog) -> None:
    """Let `history` be the dataset of the catalog's `model_spec`."""
    spec = catalog.load("model_spec")
    dataset = catalog.get(spec.dataset)
    if dataset is None:
        msg = (
            f"dataset {spec.dataset!r} of model {spec.name!r} is in no catalog:"
            " add it to conf/local/catalog.yml"
        )
        raise Refused(msg)
    timed = dataset.with_timestamp(spec.timestamp) if isinstance(dataset, Timed) else dataset
    catalog["history"] = timed
