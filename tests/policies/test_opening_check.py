"""An incident begins under a configuration that was in force here, or somebody started it."""

from datetime import datetime, timedelta

import pytest
from pydantic import JsonValue

from policies.opening_check import GRACE, reconcile_openings
from tests.builders import NOW
from tests.chains import a_chain
from trimtab.contracts.audit import Gate
from trimtab.contracts.reconciliation import ConfigurationPeriod

OURS, NEWER, FOREIGN = "a" * 64, "b" * 64, "c" * 64


def a_period(digest: str, *, since: datetime, until: datetime | None = None) -> ConfigurationPeriod:
    return ConfigurationPeriod(hash=digest, since=since, until=until)


def find_faults(digest: str, *, replaced_at: datetime | None = None, thing: str = "policy") -> str:
    began = NOW - timedelta(days=1)
    periods = [a_period(OURS, since=began, until=replaced_at)]
    if replaced_at is not None:
        periods.append(a_period(NEWER, since=replaced_at))
    opened: dict[str, JsonValue] = {"policy_hash": OURS, "spec_hash": OURS}
    opened[f"{thing}_hash"] = digest
    chain = a_chain((Gate.OPENED, opened))
    found = reconcile_openings(
        [chain],
        policies=periods if thing == "policy" else (),
        specs={"parking": periods} if thing == "spec" else {},
    )
    return "\n".join(each.fault for each in found if each.grave)


@pytest.mark.parametrize("thing", ["policy", "spec"])
def test_an_incident_under_a_configuration_of_somebody_s_own_is_found(thing: str) -> None:
    assert "was never in force here" in find_faults(FOREIGN, thing=thing)
    assert find_faults(OURS, thing=thing) == ""


def test_an_incident_under_a_configuration_that_was_replaced_before_is_found() -> None:
    assert "no longer in force" in find_faults(OURS, replaced_at=NOW - GRACE)
    assert find_faults(OURS, replaced_at=NOW - GRACE / 2) == ""
    assert find_faults(OURS, replaced_at=NOW + timedelta(hours=1)) == ""


def test_incidents_are_not_judged_that_are_older_than_the_archive_or_without_one() -> None:
    chain = a_chain((Gate.OPENED, {"policy_hash": FOREIGN, "spec_hash": FOREIGN}))
    later = [a_period(OURS, since=NOW + timedelta(hours=1))]

    assert not list(reconcile_openings([chain], policies=later, specs={"parking": later}))
    assert not list(reconcile_openings([chain], policies=(), specs={}))
