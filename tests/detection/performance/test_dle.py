"""The R² expected without labels is the one that comes, if only the inputs move."""

import numpy as np
import pandas as pd
import pytest

from trimtab.detection.performance.dle import build_dle_reference, estimate_by_dle
from trimtab.detection.profiles.arrays import FloatArray


def regression(
    rows: int, *, noisy: float, seed: int = 0
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return predictions, their true mean squared error per row, and targets."""
    random = np.random.default_rng(seed)
    predictions = random.normal(0.0, 2.0, rows)
    scale = np.where(random.random(rows) < noisy, 2.0, 0.5)
    return predictions, scale**2, predictions + random.normal(0.0, scale)


@pytest.mark.parametrize("noisy", [0.1, 0.7])
def test_the_estimated_r2_is_the_realised_one_if_noisy_rows_become_more(noisy: float) -> None:
    predictions, losses, targets = regression(8000, noisy=noisy)

    found = estimate_by_dle(losses, predictions)

    r2 = 1.0 - ((targets - predictions) ** 2).mean() / targets.var()
    assert found is not None
    assert found.value == pytest.approx(r2, abs=0.02)


def test_a_loss_beyond_tolerance_and_chance_is_degraded() -> None:
    good, bad = (regression(4000, noisy=noisy)[:2] for noisy in (0.1, 0.7))
    reference, later = build_dle_reference(good[1], good[0]), estimate_by_dle(bad[1], bad[0])
    assert reference is not None
    assert later is not None

    estimate = reference.compare(later, tolerance=0.02)

    assert estimate.method == "direct_loss"
    assert estimate.degraded
    assert estimate.error is not None
    assert estimate.error > later.error
    assert not reference.compare(later, tolerance=0.9).degraded


def test_rows_of_one_cluster_count_as_one() -> None:
    predictions, losses, _ = regression(2000, noisy=0.3)
    groups = pd.Series(np.arange(2000))
    twice = [np.repeat(values, 2) for values in (losses, predictions)]

    once, naive = estimate_by_dle(losses, predictions), estimate_by_dle(*twice)
    honest = estimate_by_dle(*twice, clusters=[groups.repeat(2)])

    assert once is not None
    assert naive is not None
    assert honest is not None
    assert honest.error == pytest.approx(once.error, rel=0.01)
    assert naive.error < 0.8 * once.error
