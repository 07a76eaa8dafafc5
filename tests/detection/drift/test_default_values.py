"""A default is told from counts that moved."""

import numpy as np

from trimtab.detection.drift.default_values import find_default_value


def test_counts_that_all_moved_to_other_steps_hold_no_default() -> None:
    rng = np.random.default_rng(0)
    blocks = [rng.poisson(2.0, 800).astype(float) for _ in range(4)]

    assert find_default_value(rng.poisson(2.0, 800).astype(float) + 0.21, blocks) is None
    assert find_default_value(rng.poisson(3.0, 800).astype(float), blocks) is None


def test_a_default_among_counts_is_found() -> None:
    rng = np.random.default_rng(0)
    blocks = [rng.poisson(2.0, 800).astype(float) for _ in range(4)]
    values = rng.poisson(2.0, 800).astype(float)
    values[:200] = 99.0

    found = find_default_value(values, blocks)

    assert found is not None
    assert found.value == 99.0
