"""Reads what the policy must know beside the incident: what was done so far, and any freeze."""

from temporalio import activity

from activities.errors import translate_errors
from trimtab.contracts.budget import ModelUsage, UsageQuery
from trimtab.contracts.ports import Ledger, ModelRegistry


class UsageActivities:
    """Activities that only read."""

    def __init__(self, *, registry: ModelRegistry, ledger: Ledger) -> None:
        self._registry = registry
        self._ledger = ledger

    @activity.defn
    @translate_errors
    def read_usage(self, query: UsageQuery) -> ModelUsage:
        """Return what was done on the model and on all models, and the freeze in force."""
        return ModelUsage(
            ledger=self._ledger.read(query), freeze=self._registry.freeze(query.model)
        )
