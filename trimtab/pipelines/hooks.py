"""Binds the dataset `history` to the catalog entry that the model's configuration names."""

from typing import Any, Protocol, Self, runtime_checkable

from kedro.framework.hooks import hook_impl
from kedro.io import DataCatalog

from trimtab.contracts.ports import Refused


@runtime_checkable
class TimestampReader(Protocol):
    """A dataset that can read the times in one of its columns, once for all later loads."""

    def with_timestamp(self, column: str) -> Self:
        """Return the same dataset, which reads times in this column."""


class HistoryHooks:
    """Hooks for `kedro run`, which does not know models."""

    @hook_impl
    def after_catalog_created(self, catalog: DataCatalog, parameters: dict[str, Any]) -> None:
        """Bind the history of the run's model, if it has one."""
        if parameters.get("params:model"):
            bind_history(catalog)


def bind_history(catalog: DataCatalog) -> None:
    """Make `history` the dataset that `model_spec` names; raises `Refused` if there is none."""
    spec = catalog.load("model_spec")
    dataset = catalog.get(spec.dataset)
    if dataset is None:
        msg = (
            f"dataset {spec.dataset!r} of model {spec.name!r} is in no catalog:"
            " add it to conf/local/catalog.yml"
        )
        raise Refused(msg)
    if isinstance(dataset, TimestampReader):
        dataset = dataset.with_timestamp(spec.timestamp)
    catalog["history"] = dataset
