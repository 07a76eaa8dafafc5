from trimtab.detection.calibration import autocorrelation


def test_a_column_has_at_least_the_correlation_of_all_columns_together() -> None:
    few, many = (
        autocorrelation.combine_correlations([0.0, 0.3, 0.6], 21),
        autocorrelation.combine_correlations([0.0, 0.3, 0.6], 210),
    )

    assert few[2] == many[2] == 0.6
    assert few[0] == few[1] > many[0] == many[1] > 0.3
    assert max(autocorrelation.combine_correlations([0.95], 4)) == autocorrelation.MAX_CORRELATION
