"""The error of any figure follows from leaving out stretches of time."""

import numpy as np
import pytest

from trimtab.detection.performance.block_jackknife import compute_jackknife_error


def test_the_error_of_a_mean_is_its_standard_error() -> None:
    values = np.random.default_rng(0).normal(0.0, 2.0, 2000)

    error = compute_jackknife_error(lambda kept: float(values[kept].mean()), len(values))

    assert error == pytest.approx(2.0 / np.sqrt(2000), rel=0.4)


def test_rows_that_resemble_their_neighbours_make_the_error_larger() -> None:
    values = np.repeat(np.random.default_rng(0).normal(0.0, 2.0, 20), 100)

    error = compute_jackknife_error(lambda kept: float(values[kept].mean()), len(values))

    assert error == pytest.approx(2.0 / np.sqrt(20), rel=0.4)


def test_an_error_is_unknown_with_few_rows_or_undefined_figures() -> None:
    assert compute_jackknife_error(lambda kept: 1.0, 10) is None
    assert compute_jackknife_error(lambda kept: None, 100) is None
