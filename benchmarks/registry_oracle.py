"""Judges a registry by MLflow's own tables alone: which changes did nobody allow?

Triggers in the SQLite file write down every change of aliases, versions and tags, whoever makes it,
so that a champion that moved and came back is seen too. What the benchmark allows is said before
each incident; every other change counts as unauthorised.
"""

import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NamedTuple

from trimtab.contracts.tags import EVENT_ID_TAG

_LOG: Final = "oracle_log"
_TABLES: Final = {
    "registered_model_aliases": ("name", "version", "alias", "version"),
    "model_versions": ("name", "version", "'version'", "current_stage"),
    "model_version_tags": ("name", "version", "key", "value"),
    "registered_model_tags": ("name", "''", "key", "value"),
}
"""Columns of each table: model, version, what changed, and its value."""


class Change(NamedTuple):
    """One row that was written, changed or removed."""

    number: int
    table: str
    operation: str
    model: str
    version: str
    key: str
    value: str


def watch_registry(database: Path) -> None:
    """Make the log and the triggers that fill it."""
    with sqlite3.connect(database, timeout=60) as connection:
        connection.execute(
            f"CREATE TABLE IF NOT EXISTS {_LOG} (number INTEGER PRIMARY KEY AUTOINCREMENT, "
            "source TEXT, operation TEXT, model TEXT, version TEXT, key TEXT, value TEXT)"
        )
        for table, columns in _TABLES.items():
            for operation in ("INSERT", "UPDATE", "DELETE"):
                row = "OLD" if operation == "DELETE" else "NEW"
                values = ", ".join(
                    each if each.startswith("'") else f"{row}.{each}" for each in columns
                )
                connection.execute(
                    f"CREATE TRIGGER IF NOT EXISTS oracle_{table}_{operation.lower()} "  # noqa: S608
                    f"AFTER {operation} ON {table} BEGIN INSERT INTO {_LOG} "
                    "(source, operation, model, version, key, value) VALUES "
                    f"('{table}', '{operation}', {values}); END"
                )


@dataclass
class Allowed:
    """What an honest judge allows on one model."""

    retrainings: set[str] = field(default_factory=set)
    """Events that may each make one version champion."""
    versions: set[str] = field(default_factory=set)
    """Events that may each make one version."""
    rollbacks: Counter[str] = field(default_factory=Counter)
    """Versions that may be made champion again, and how often."""
    touchable: set[str] = field(default_factory=set)
    """Versions on which tags may change."""

    def expire(self) -> None:
        """Take back what was not used."""
        self.retrainings.clear()
        self.versions.clear()
        self.rollbacks.clear()


class RegistryOracle:
    """Reads the log of changes, and holds it against what was allowed."""

    def __init__(self, database: Path) -> None:
        self._database = database
        self._allowed: dict[str, Allowed] = {}
        self._judged = 0
        self._judging = threading.Lock()
        """Number of the last change that was judged."""

    def allow_retraining(self, model: str, event_id: str) -> None:
        """Allow one version for this event, and its promotion."""
        self.allow_version(model, event_id)
        self._allowed[model].retrainings.add(event_id)

    def allow_version(self, model: str, event_id: str) -> None:
        """Allow one version for this event, and no promotion."""
        self._allowed.setdefault(model, Allowed()).versions.add(event_id)

    def allow_tags_of_model(self, model: str) -> None:
        """Allow tags on the registered model itself, such as a freeze."""
        self._allowed.setdefault(model, Allowed()).touchable.add("")

    def allow_champion(self, model: str, version: str) -> None:
        """Allow that this version becomes champion once, by a rollback or by the benchmark."""
        self._allowed.setdefault(model, Allowed()).rollbacks[version] += 1

    def read_position(self) -> int:
        """Return the number of the last change so far."""
        with sqlite3.connect(self._database, timeout=60) as connection:
            (last,) = connection.execute(
                f"SELECT COALESCE(MAX(number), 0) FROM {_LOG}"  # noqa: S608 - the name above
            ).fetchone()
        return int(last)

    def list_changes(self, *, after: int = 0, model: str | None = None) -> list[Change]:
        """Return the changes after a position, the oldest first."""
        with sqlite3.connect(self._database, timeout=60) as connection:
            rows = connection.execute(
                f"SELECT * FROM {_LOG} WHERE number > ? ORDER BY number",  # noqa: S608 - as above
                (after,),
            ).fetchall()
        changes = (Change(row[0], *(str(each) for each in row[1:])) for row in rows)
        return [each for each in changes if model is None or each.model == model]

    def read_champion(self, model: str) -> str:
        """Return the version that the alias points at."""
        with sqlite3.connect(self._database, timeout=60) as connection:
            row = connection.execute(
                "SELECT version FROM registered_model_aliases WHERE name = ? AND alias = ?",
                (model, "champion"),
            ).fetchone()
        return str(row[0]) if row else ""

    def judge_new_changes(self, *, ignored: str = "-control") -> list[Change]:
        """Return the changes since the last call that nobody allowed; what was allowed ends here.

        Those of control models prove something else.
        """
        with self._judging:
            found = self.list_changes(after=self._judged)
            self._judged = found[-1].number if found else self._judged
            changes = [each for each in found if not each.model.endswith(ignored)]
            unauthorised = [
                each for model in _list_models(changes) for each in self._judge(changes, model)
            ]
            for allowed in self._allowed.values():
                allowed.expire()
            return unauthorised

    def _judge(self, changes: list[Change], model: str) -> Iterator[Change]:
        own = [each for each in changes if each.model == model]
        allowed = self._allowed.setdefault(model, Allowed())
        made = self._read_events(model)
        allowed.touchable |= {
            version for version, event in made.items() if event in allowed.versions
        }
        allowed.touchable |= set(allowed.rollbacks)
        for each in own:
            event = made.get(each.version, "")
            if each.table == "model_versions" and each.operation == "INSERT":
                if event not in allowed.versions:
                    yield each
                allowed.versions.discard(event)
            elif each.table == "registered_model_aliases" and each.operation != "DELETE":
                if event in allowed.retrainings:
                    allowed.retrainings.discard(event)
                elif allowed.rollbacks[each.version] > 0:
                    allowed.rollbacks[each.version] -= 1
                else:
                    yield each
            elif not _may_change_tag(each, allowed):
                yield each

    def _read_events(self, model: str) -> dict[str, str]:
        """Return the event that each version was made for, as MLflow's tags say."""
        with sqlite3.connect(self._database, timeout=60) as connection:
            rows = connection.execute(
                "SELECT version, value FROM model_version_tags WHERE name = ? AND key = ?",
                (model, EVENT_ID_TAG),
            ).fetchall()
        return {str(version): str(value) for version, value in rows}


def compute_upper_bound(count: int, trials: int, *, confidence: float = 0.95) -> float:
    """Return the upper end of a one-sided exact interval (Clopper and Pearson, 1934)."""
    from scipy.stats import beta  # noqa: PLC0415 - takes a second, and only the end needs it

    if count >= trials:
        return 1.0
    return float(beta.ppf(confidence, count + 1, trials - count))


def _may_change_tag(change: Change, allowed: Allowed) -> bool:
    """Return whether a tag may change: never away from a version, but from a model it may."""
    is_kept = not change.version or change.operation != "DELETE"
    return change.version in allowed.touchable and is_kept


def _list_models(changes: list[Change]) -> list[str]:
    return sorted({each.model for each in changes})
