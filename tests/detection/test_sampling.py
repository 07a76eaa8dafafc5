import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import balanced_accuracy_score, r2_score, roc_auc_score

from detection.sampling import standard_error, surpasses_chance

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
    told = np.mean([standard_error(metric, *one) or 0.0 for one in samples])

    assert told == pytest.approx(varies, rel=0.15)


def test_nothing_is_told_where_the_metric_is_undefined_or_unknown() -> None:
    constant, found = pd.Series([1.0] * 50), pd.Series(np.arange(50.0))

    assert standard_error("r2", constant, found) is None
    assert standard_error("another", found, found) is None


def test_a_loss_counts_where_both_errors_together_do_not_explain_it() -> None:
    assert surpasses_chance(0.05, 0.01, 0.01)
    assert not surpasses_chance(0.03, 0.01, 0.01)
    assert surpasses_chance(0.03, 0.01, None)
    assert surpasses_chance(0.001, None, None)
    assert not surpasses_chance(0.0, None, None)


def test_rows_that_are_alike_count_as_one() -> None:
    chance = np.random.default_rng(8)
    values, errors = [], []
    for _ in range(200):
        truth = pd.Series(chance.normal(0, 2, 600))
        noise = np.repeat(chance.normal(0, 1, 30), 20)  # a day has its own bias
        found = truth + noise
        values.append(1 - float(((truth - found) ** 2).sum() / ((truth - truth.mean()) ** 2).sum()))
        errors.append(standard_error("r2", truth, found, alike=pd.Series(np.arange(600) // 20)))

    assert np.mean([each or 0.0 for each in errors]) == pytest.approx(np.std(values), rel=0.15)


def test_a_single_group_says_nothing_of_how_groups_differ() -> None:
    truth = pd.Series(np.random.default_rng(9).normal(size=100))
    found = truth + 0.1

    one = pd.Series(np.zeros(100))

    assert standard_error("r2", truth, found, alike=one) == standard_error("r2", truth, found)
