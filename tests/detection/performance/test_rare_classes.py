"""Standard errors count the rows of the rarest class."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from trimtab.detection.performance.rare_classes import compute_class_error, count_rarest_class


def ranked(positives: int, *, rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    truth = np.arange(rows) < positives
    return truth, random.normal(truth * 1.5, 1.0)


@pytest.mark.parametrize(("positives", "rows"), [(16, 4000), (100, 3000), (500, 1000)])
def test_the_error_of_an_area_is_its_spread_over_samples(positives: int, rows: int) -> None:
    samples = [ranked(positives, rows=rows, seed=seed) for seed in range(200)]
    areas = [roc_auc_score(*each) for each in samples]

    errors = [compute_class_error("roc_auc", *each) for each in samples]

    assert 0.9 * np.std(areas) < np.median(errors) < 1.5 * np.std(areas)


def test_a_perfect_ranking_of_few_positives_is_not_certain() -> None:
    truth = np.arange(2000) < 16

    assert compute_class_error("roc_auc", truth, truth * 1.0) > 0.01
    assert compute_class_error("balanced_accuracy", truth, truth) > 0.01
    assert compute_class_error("r2", truth, truth) == 0.0


def test_one_class_alone_has_no_rarest() -> None:
    assert count_rarest_class(pd.Series(["a", "a", "b"])) == 1
    assert count_rarest_class(pd.Series(["a", "a"])) == 0
