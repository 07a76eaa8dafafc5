from datetime import timedelta

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, r2_score, roc_auc_score

from trimtab.detection.drift.standard_errors import (
    compute_clustered_error,
    compute_standard_error,
    is_significant_loss,
    label_time_clusters,
)

METRICS = {
    "r2": r2_score,
    "roc_auc": roc_auc_score,
    "balanced_accuracy": balanced_accuracy_score,
}


def sample(metric: str, random: np.random.Generator, rows: int) -> tuple[pd.Series, pd.Series]:
    signal = random.normal(0, 1, rows)
    noisy = signal + random.normal(0, 0.7, rows)
    if metric == "r2":
        return pd.Series(noisy), pd.Series(signal)
    if metric == "roc_auc":
        return pd.Series(noisy > 0.5), pd.Series(signal)
    return pd.Series(pd.cut(noisy, [-9, -1, 1, 9], labels=False)), pd.Series(
        pd.cut(signal, [-9, -1, 1, 9], labels=False)
    )


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("rows", [200, 1000])
def test_the_standard_error_is_how_much_the_metric_varies_from_sample_to_sample(
    metric: str, rows: int
) -> None:
    random = np.random.default_rng(0)
    samples = [sample(metric, random, rows) for _ in range(400)]

    varies = np.std([METRICS[metric](truth, found) for truth, found in samples])
    estimated = np.mean([compute_standard_error(metric, *one) or 0.0 for one in samples])

    assert estimated == pytest.approx(varies, rel=0.15)


def test_an_undefined_or_unknown_metric_has_no_standard_error() -> None:
    constant, found = pd.Series([1.0] * 50), pd.Series(np.arange(50.0))

    assert compute_standard_error("r2", constant, found) is None
    assert compute_standard_error("another", found, found) is None


def test_a_loss_is_significant_if_both_errors_together_do_not_explain_it() -> None:
    assert is_significant_loss(0.05, 0.01, 0.01)
    assert not is_significant_loss(0.03, 0.01, 0.01)
    assert is_significant_loss(0.03, 0.01, None)
    assert is_significant_loss(0.001, None, None)
    assert not is_significant_loss(0.0, None, None)


@pytest.mark.parametrize(("alpha", "significant"), [(0.2, True), (0.05, False), (None, False)])
def test_a_higher_false_positive_rate_makes_smaller_losses_significant(
    alpha: float | None, *, significant: bool
) -> None:
    assert is_significant_loss(0.015, 0.01, alpha=alpha) is significant


def test_rows_of_one_cluster_count_as_one() -> None:
    random = np.random.default_rng(8)
    values, errors = [], []
    for _ in range(200):
        truth = pd.Series(random.normal(0, 2, 600))
        noise = np.repeat(random.normal(0, 1, 30), 20)  # a day has its own bias
        found = truth + noise
        values.append(1 - float(((truth - found) ** 2).sum() / ((truth - truth.mean()) ** 2).sum()))
        errors.append(
            compute_standard_error("r2", truth, found, clusters=[pd.Series(np.arange(600) // 20)])
        )

    assert np.mean([each or 0.0 for each in errors]) == pytest.approx(np.std(values), rel=0.15)


def test_a_single_cluster_does_not_change_the_error() -> None:
    truth = pd.Series(np.random.default_rng(9).normal(size=100))
    found = truth + 0.1

    one = pd.Series(np.zeros(100))

    assert compute_standard_error("r2", truth, found, clusters=[one]) == compute_standard_error(
        "r2", truth, found
    )


def minutes(days: int) -> pd.Series:
    return pd.Series(pd.date_range("2026-01-05", periods=days * 24 * 12, freq="5min", tz="UTC"))


@pytest.mark.parametrize(("days", "found"), [(0.1, 0), (1, 1), (4, 1), (7, 2), (35, 3)])
def test_lengths_that_make_few_clusters_are_not_used(days: float, found: int) -> None:
    times = minutes(35).head(round(days * 24 * 12))

    assert len(label_time_clusters(times, None)) == found


def test_a_configured_dependence_replaces_the_usual_lengths() -> None:
    times = minutes(7)

    (days,) = label_time_clusters(times, timedelta(days=1))

    assert days.nunique() == 7
    assert not label_time_clusters(times, timedelta(0))


@pytest.mark.parametrize(
    ("stretch", "grows"), [(1, 1.0), (12, 12**0.5), (24 * 12, (24 * 12) ** 0.5)]
)
def test_the_error_grows_with_the_length_within_which_rows_resemble_each_other(
    stretch: int, grows: float
) -> None:
    random, times = np.random.default_rng(7), minutes(35)
    found, naive = [], []
    for _ in range(40):
        influence = np.repeat(random.normal(size=len(times) // stretch), stretch)
        found.append(compute_clustered_error(influence, clusters=label_time_clusters(times, None)))
        naive.append(compute_clustered_error(influence))

    factor = np.mean(found) / np.mean(naive)
    assert 0.95 * grows < factor < 1.6 * grows


def test_a_loss_over_few_days_keeps_the_false_positive_rate() -> None:
    random, times = np.random.default_rng(8), minutes(7)
    alarms = 0
    for _ in range(400):
        before, after = (random.normal(size=7).repeat(24 * 12) for _ in range(2))
        errors = [
            compute_clustered_error(each - each.mean(), clusters=label_time_clusters(times, None))
            for each in (before, after)
        ]
        alarms += is_significant_loss(before.mean() - after.mean(), *errors, alpha=0.05)

    assert alarms / 400 <= 0.07
