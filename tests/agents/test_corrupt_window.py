"""From broken rows to the answer: the cause is corrupt data, and nothing is learnt from it."""

from typing import Any

import pandas as pd
import pytest

from policies.evidence import compose_evidence
from policies.judgement.actions import rank_actions
from policies.second_opinion import judge_figures
from tests.agents.cases import some_figures
from tests.builders import NOW
from tests.detection.windows import make_spec, make_table, profile_table
from tests.policies.test_evidence import the_registry
from trimtab.contracts.deliberation import Cause
from trimtab.contracts.drift import DriftFinding, PerformanceChange
from trimtab.contracts.remediation import Action
from trimtab.detection.performance.finding import find_drift, should_publish

REFERENCE = profile_table(make_table(6000))
GOOD = make_table(2000, seed=1)
LOST = PerformanceChange(metric="r2", reference=0.92, current=0.1, rows=2000, degraded=True)
BROKEN: dict[str, pd.DataFrame] = {
    "unit_change": GOOD.assign(price=GOOD["price"] * 100),
    "missing_column": GOOD.assign(price=None),
    "nulls": GOOD.assign(price=GOOD["price"].where(GOOD.index % 3 == 0)),
    "constant": GOOD.assign(price=20.0),
    "retyped_column": GOOD.assign(price="n/a"),
}

CAUSES = {
    "unit_change": Cause.UNIT_CHANGE,
    "missing_column": Cause.SCHEMA_CHANGE,
    "nulls": Cause.MISSING_VALUES,
    "constant": Cause.MISSING_VALUES,
    "retyped_column": Cause.SCHEMA_CHANGE,
}


def found_in(frame: pd.DataFrame, **known: Any) -> DriftFinding:
    finding = find_drift(
        make_spec(),
        REFERENCE,
        current=profile_table(frame, like=REFERENCE),
        performance=None,
        **known,
    )
    assert finding is not None
    return finding


@pytest.mark.parametrize("kind", BROKEN)
def test_a_corrupt_window_is_announced_and_its_cause_is_the_data(kind: str) -> None:
    finding = found_in(BROKEN[kind]).model_copy(update={"performance": LOST})
    figures = some_figures(
        features=finding.features, quality=finding.quality, performance=finding.performance
    )
    shares = judge_figures(figures).likelihoods

    assert finding.corrupt
    assert should_publish(finding, make_spec())
    assert next(iter(shares)) is CAUSES[kind]
    assert next(iter(rank_actions(figures, shares))) is Action.FIX_SOURCE
    assert rank_actions(figures, shares)[Action.RETRAIN].benefit < 0.0


@pytest.mark.parametrize("kind", BROKEN)
def test_the_evidence_says_that_the_window_is_corrupt(kind: str) -> None:
    pack = compose_evidence(found_in(BROKEN[kind]), the_registry(), (), (), now=NOW)

    item = pack.find_item(f"quality:{kind}:price")

    assert item is not None
    assert "This corrupts the window." in item.statement
