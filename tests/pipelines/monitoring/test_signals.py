"""The signals of a window, by the nodes of the pipeline: they fire, and they stay quiet."""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd
import pytest

from tests.detection.windows import START, WEEK, make_spec
from tests.pipelines.versions import classes, train_version
from trimtab.contracts.drift import DriftFinding, PerformanceChange
from trimtab.contracts.fitted import ServedModel
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.tags import ROLE_TAG
from trimtab.detection.performance.finding import should_publish
from trimtab.pipelines.monitoring import nodes
from trimtab.pipelines.monitoring.signals import measure_signals
from trimtab.pipelines.requests import MonitoringRequest
from trimtab.pipelines.scoring.earlier_champions import measure_regained_share

MODEL = make_spec()
ROWS_A_WEEK = 500
ONSET = START + 4 * WEEK


def make_sales(weeks: int = 6, *, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    rows = weeks * ROWS_A_WEEK
    price = random.gamma(4.0, 5.0, rows)
    return pd.DataFrame(
        {
            "price": price,
            "shop": random.choice(["north", "south", "east", "west"], rows),
            "at": pd.date_range(START, periods=rows, freq=WEEK / ROWS_A_WEEK),
            "revenue": 200.0 + 3.0 * price + random.normal(0.0, 10.0, rows),
        }
    )


class Versions:
    """A registry with a champion, and an earlier one if there is one."""

    def __init__(self, champion: ServedModel, first: ServedModel | None = None) -> None:
        self._champion = replace(champion, version="2" if first else "1")
        self._first = first and replace(first, tags={**first.tags, ROLE_TAG: "champion"})

    def champion(self) -> ServedModel:
        return self._champion

    def version(self, version: str) -> ServedModel:
        found = {"1": self._first, self._champion.version: self._champion}[version]
        assert found is not None
        return found

    def made_by(self, key: str) -> None:
        return None


class Judgement(NamedTuple):
    finding: DriftFinding | None
    announced: bool
    performance: PerformanceChange | None


def judge(table: pd.DataFrame, week: int, spec: ModelSpec = MODEL) -> Judgement:
    """Judge a week as the pipeline does, with a champion of the first three."""
    start, end = START + week * WEEK, START + (week + 1) * WEEK
    request = MonitoringRequest(model=spec.name, start=start, end=end)
    models = Versions(train_version(table, spec))
    rows = nodes.select_window_rows(table, spec, request)
    reference = nodes.choose_reference(table, spec, request, models)
    predictions = nodes.predict_window(rows, spec, reference)
    measured = nodes.measure_window(table, rows, spec, request, reference, predictions)
    impact = nodes.assess_impact(rows, spec, request, reference, predictions, measured)
    signals = measure_signals(table, rows, spec, request, reference, measured, impact, models)
    findings = nodes.find_window_drift(measured, spec, reference, impact, None, signals)
    finding = findings[0] if findings else None
    announced = finding is not None and should_publish(finding, spec)
    return Judgement(finding, announced, measured.performance)


def change_since_onset(table: pd.DataFrame, revenue: "pd.Series[float]") -> pd.DataFrame:
    return table.assign(revenue=table["revenue"].where(table["at"] < ONSET, revenue))


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return make_sales()


def test_an_ordinary_window_is_quiet_and_has_a_challenger_that_is_no_better(
    table: pd.DataFrame,
) -> None:
    result = judge(table, 4)

    assert result.finding is None
    assert result.performance is not None
    assert result.performance.trivial == 0.0
    assert result.performance.windows == 0


def test_shuffled_labels_are_corrupt_data(table: pd.DataFrame) -> None:
    mixed = pd.Series(np.random.default_rng(1).permutation(table["revenue"]))

    finding = judge(change_since_onset(table, mixed), 5).finding

    assert finding is not None
    assert [(fault.kind, fault.corrupt) for fault in finding.quality] == [
        ("unlearnable_labels", True)
    ]
    assert finding.performance is not None
    assert finding.performance.windows == 2


def test_a_changed_concept_is_learnable_and_a_new_model_is_better(table: pd.DataFrame) -> None:
    finding = judge(change_since_onset(table, 460.0 - 2.0 * table["price"]), 5).finding

    assert finding is not None
    assert finding.signals is not None
    assert finding.signals.challenger is not None
    assert finding.signals.challenger.gain > 0.5
    assert finding.signals.learnability is not None
    assert finding.signals.learnability.value > 0.9
    assert [fault.kind for fault in finding.quality if fault.corrupt] == []
    assert finding.concept_loss is not None
    assert finding.concept_loss > 0.5


def test_labels_that_have_not_come_are_late(table: pd.DataFrame) -> None:
    missing = pd.Series(np.where(np.arange(len(table)) % 8, np.nan, table["revenue"]))

    result = judge(change_since_onset(table, missing), 4)

    assert result.finding is not None
    assert [fault.kind for fault in result.finding.quality] == ["late_labels"]
    assert result.announced


def test_a_champion_without_skill_is_announced(table: pd.DataFrame) -> None:
    noise = table.assign(revenue=np.random.default_rng(2).gamma(9.0, 20.0, len(table)))

    result = judge(noise, 4)

    assert result.finding is not None
    assert not any(fault.corrupt for fault in result.finding.quality)
    assert result.announced


def test_a_few_positives_make_no_metric(table: pd.DataFrame) -> None:
    rare = table.assign(revenue=np.where(np.arange(len(table)) % 50 == 0, "yes", "no"))

    result = judge(rare, 4, classes())

    assert result.performance is None


def test_an_earlier_champion_regains_the_loss(table: pd.DataFrame) -> None:
    good, bad = (
        train_version(rows, MODEL)
        for rows in (table, table.assign(price=table["price"].sample(frac=1.0).to_numpy()))
    )
    models = Versions(bad, good)
    rows = table[table["at"] >= ONSET]
    loss = PerformanceChange(metric="r2", reference=0.95, current=0.0, rows=9, degraded=True)

    share = measure_regained_share(rows, MODEL, models, performance=loss, start=ONSET)

    assert share is not None
    assert share > 0.9
