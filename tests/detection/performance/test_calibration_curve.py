import numpy as np
import pytest

from trimtab.detection.performance.calibration_curve import (
    CalibrationCurve,
)


def test_a_curve_is_constant_beyond_its_ends() -> None:
    curve = CalibrationCurve(scores=(0.2, 0.6), probabilities=(0.1, 0.9))

    assert curve.interpolate(np.array([0.0, 0.4, 1.0])) == pytest.approx([0.1, 0.5, 0.9])


def test_a_curve_that_an_earlier_release_stored_is_read() -> None:
    stored = {"scores": [0.2, 0.6], "chances": [0.1, 0.9]}

    curve = CalibrationCurve.model_validate(stored)

    assert curve.probabilities == (0.1, 0.9)
    assert curve.model_dump(mode="json") == stored
