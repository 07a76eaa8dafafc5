"""Measures how often the gate promotes a worse challenger, and turns a better one away.

`.venv/bin/python benchmarks/promotion_errors.py` draws rows on which two models have known metrics,
asks the gate and the verification about them, and the rule of earlier releases beside them: better
by more than the margin, then no worse. Rows of six neighbours resemble each other; a fifth of the
rows is positive.
"""

import argparse
from collections import Counter
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from policies.promotion_gate import rate_challenger, rate_verification
from trimtab.contracts.model import GateOutcome, PairedComparison
from trimtab.detection.performance.paired_comparison import compare_outputs
from trimtab.detection.profiles.arrays import AnyArray, FloatArray

ROWS: Final = (80, 200, 1_000)
DIFFERENCES: Final = (-0.1, -0.03, 0.03, 0.1, 0.2)
CHAMPIONS: Final = {"r2": 0.7, "roc_auc": 0.75, "balanced_accuracy": 0.75}
MARGIN: Final = 0.005
_NEIGHBOURS: Final = 6
_POSITIVES: Final = 0.2
_CROSS_FITTED: Final = 4
"""Rows that cross-fitting compares on, in multiples of the rows held out."""
_NAMES: Final[dict[str, Any]] = {"champion": "1", "challenger": "2", "floor": 0.1}
_SHARED: Final = 0.5
"""Share of the error's variance that both models, or neighbours, have in common."""


class Rates(NamedTuple):
    """Shares of the trials of one setting."""

    promoted_before: float
    """Share promoted by the rule of earlier releases, which knew no other answer than refusing."""
    kept_before: float
    """Share promoted and verified by it."""
    promoted_alone: float
    """Share promoted on the rows held out alone."""
    promoted: float
    """Share promoted on these rows, or on more by cross-fitting."""
    refused: float
    undecided: float
    kept: float
    """Share promoted and verified."""


class Setting(NamedTuple):
    """What is drawn."""

    metric: str
    rows: int
    difference: float

    @property
    def population_metrics(self) -> tuple[float, float]:
        """The metrics of both models in the population."""
        champion = CHAMPIONS[self.metric]
        return champion, champion + self.difference


def measure_rates(setting: Setting, *, trials: int) -> Rates:
    """Return how often each rule does what, each trial on fresh rows for gate and verification."""
    random = np.random.default_rng(0)
    counts: Counter[str] = Counter()
    for _ in range(trials):
        gate = draw_comparisons(random, setting)
        verification = draw_comparisons(random, setting)
        if not gate or not verification:
            continue
        before, after = gate[0].difference > MARGIN, verification[0].difference >= 0.0
        outcome = rate_challenger(gate, margin=MARGIN).outcome
        alone = rate_challenger(gate[:1], margin=MARGIN).outcome
        verified = rate_verification(verification[0], margin=0.0).verified
        counts[outcome.value] += 1
        counts["alone"] += alone is GateOutcome.BETTER
        counts["kept"] += outcome is GateOutcome.BETTER and verified
        counts["promoted_before"] += before
        counts["kept_before"] += before and after
    names = (
        "promoted_before", "kept_before", "alone", "better", "not_better", "cannot_tell", "kept",
    )  # fmt: skip
    return Rates(*(counts[name] / trials for name in names))


def draw_comparisons(random: np.random.Generator, setting: Setting) -> list[PairedComparison]:
    """Return comparisons on fresh rows, and on these with three times as many others."""
    rows = _CROSS_FITTED * setting.rows
    group = np.arange(rows) // _NEIGHBOURS
    shared = _draw_errors(random, group)
    truth = random.random(rows) < _POSITIVES
    target = _draw_errors(random, group) if setting.metric == "r2" else truth
    first, second = (
        _predict(setting.metric, target, value, _mix(shared, _draw_errors(random, group)))
        for value in setting.population_metrics
    )
    found = []
    for count in (setting.rows, rows):
        compared = compare_outputs(
            setting.metric,
            pd.Series(target[:count]),
            (pd.Series(first[:count]), pd.Series(second[:count])),
            clusters=[pd.Series(group[:count])],
        )
        if compared is not None:
            found.append(PairedComparison(**_NAMES, metric=setting.metric, **compared._asdict()))
    return found


def _draw_errors(random: np.random.Generator, group: AnyArray) -> FloatArray:
    return _mix(random.normal(size=group.max() + 1)[group], random.normal(size=len(group)))


def _mix(first: FloatArray, second: FloatArray) -> FloatArray:
    mixed: FloatArray = np.sqrt(_SHARED) * first + np.sqrt(1.0 - _SHARED) * second
    return mixed


def _predict(metric: str, target: AnyArray, value: float, error: FloatArray) -> AnyArray:
    """Return outputs that have this metric in the population."""
    if metric == "r2":
        return np.asarray(target + np.sqrt(1.0 - value) * error)
    if metric == "roc_auc":
        return np.asarray(np.sqrt(2.0) * stats.norm.ppf(value) * target + error)
    return np.where(error < stats.norm.ppf(value), target, ~target)


def main() -> None:
    """Print a table of all settings."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=500)
    parser.add_argument("--rows", type=int, nargs="*", default=ROWS)
    parser.add_argument("--metrics", nargs="*", default=list(CHAMPIONS))
    options = parser.parse_args()
    print("| metric | rows | truly | " + " | ".join(Rates._fields) + " |")
    print("|---|---|---|" + "---|" * len(Rates._fields))
    for metric in options.metrics:
        for rows in options.rows:
            for difference in DIFFERENCES:
                rates = measure_rates(Setting(metric, rows, difference), trials=options.trials)
                cells = " | ".join(f"{100 * rate:.0f} %" for rate in rates)
                print(f"| {metric} | {rows} | {difference:+.2f} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
