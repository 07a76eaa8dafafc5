"""Lists the tables that incidents are made of."""

from collections.abc import Callable
from functools import cache
from typing import Final

from evals.tables.generated import build_churn, build_credit, build_demand, build_fraud
from evals.tables.parking import build_parking
from evals.tables.table_world import TableWorld
from trimtab.contracts.ports import Refused

TABLES: Final[dict[str, Callable[[], TableWorld]]] = {
    "churn": build_churn,
    "credit": build_credit,
    "demand": build_demand,
    "fraud": build_fraud,
    "parking": build_parking,
}
"""Function that builds each table's world, by name."""


@cache
def get_table(name: str) -> TableWorld:
    """Return the table of that name; raise `Refused` if there is none."""
    if name not in TABLES:
        msg = f"there is no table {name!r}: there are {', '.join(TABLES)}"
        raise Refused(msg)
    return TABLES[name]()
