"""Compares the audit log with the model registry and with the workflows of Temporal."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

from policies.opening_check import reconcile_openings
from policies.reconciliation import Chain, reconcile_registry
from policies.workflow_reconciliation import reconcile_workflows
from trimtab.adapters.audit.audit_file import UnfitFileError, read_locked_file
from trimtab.adapters.audit.audit_verification import judge_chains
from trimtab.adapters.audit.chain_heads import ChainHeads, judge_heads
from trimtab.adapters.audit.log_reading import ChainFile, read_chain_files
from trimtab.adapters.configuration_archive import list_policy_periods, list_spec_periods
from trimtab.contracts.audit import ChainEnd, RecordedTip
from trimtab.contracts.model import ModelVersion
from trimtab.contracts.reconciliation import ComparedLog, Discrepancy, IncidentWorkflow

_KEY: Final = re.compile(rb'"key":\s*"([0-9a-f]{64})"')


class RecordedRegistry(Protocol):
    """What a registry holds of the audit log, and of what the log reports."""

    def list_recorded_tips(self) -> Sequence[RecordedTip]:
        """Return the end of every recorded incident's audit chain."""

    def read_audit_head(self) -> ChainEnd | None:
        """Return the end of the chain of heads that was kept last."""

    def list_all_versions(self) -> Sequence[ModelVersion]:
        """Return every version of every model with its tags."""


class AuditLogComparer:
    """The port `LogComparer` over the log's folder; without a registry it compares less."""

    def __init__(
        self,
        folder: Path,
        *,
        key: bytes,
        registry: RecordedRegistry | None,
        configuration: Path | None = None,
    ) -> None:
        self._folder = folder
        self._key = key
        self._registry = registry
        self._configuration = configuration
        """Folder of the archive of configurations; there is none on an auditor's machine."""

    def compare(
        self, workflows: Sequence[IncidentWorkflow] | None, *, now: datetime
    ) -> ComparedLog:
        """Return the state of every chain, and where the log disagrees with the world.

        Args:
            workflows: Those of Temporal, listed before this call; None if it was not asked.
            now: The time; what was written a moment ago need not agree yet.

        Raises:
            Unavailable: The registry does not answer.
        """
        registry = self._registry
        # The log may be ahead of the tips and the head that the registry holds, never behind them.
        tips = registry.list_recorded_tips() if registry else ()
        head = registry.read_audit_head() if registry else None
        files = read_chain_files(self._folder, key=self._key)
        chains = [file.lines for file in files if not file.fault]
        unsound = [file for file in files if file.fault]
        found = [*judge_heads(ChainHeads(self._folder, key=self._key), files, recorded=head)]
        found += self._compare_openings(chains)
        if registry is not None:
            versions = registry.list_all_versions()
            doubtful = _list_named_keys(self._folder, unsound)
            found += reconcile_registry(chains, versions, now=now, doubtful=doubtful)
        if workflows is not None:
            parts = [file.lines for file in unsound]
            found += reconcile_workflows(chains, workflows, now=now, unsound=parts)
        return ComparedLog(
            statuses=judge_chains(files, tips=tips, now=now), discrepancies=tuple(found)
        )

    def _compare_openings(self, chains: Sequence[Chain]) -> Iterator[Discrepancy]:
        folder = self._configuration
        if folder is None:
            return iter(())
        models = {chain[0].entry.model for chain in chains if chain}
        return reconcile_openings(
            chains,
            policies=list_policy_periods(folder),
            specs={model: list_spec_periods(folder, model) for model in models},
        )


def _list_named_keys(folder: Path, unsound: Iterable[ChainFile]) -> frozenset[str]:
    """Return the effects that unsound chains name anywhere: they prove nothing, but explain."""
    keys: set[str] = set()
    for file in unsound:
        with suppress(UnfitFileError):
            found = _KEY.findall(read_locked_file(folder / file.name))
            keys.update(each.decode() for each in found)
    return frozenset(keys)
