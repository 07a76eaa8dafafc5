import pandas as pd
import pytest

from tests.builders import a_spec
from tests.pipelines.conftest import Run
from trimtab.contracts.drift import FeatureKind
from trimtab.contracts.model import Feature, SegmentMetric
from trimtab.contracts.ports import Refused
from trimtab.pipelines.learning.model_fitting import list_segment_columns

WEEK = {"start": "2016-10-25T00:00:00Z", "end": "2016-11-01T00:00:00Z"}


@pytest.mark.parametrize(
    ("feature", "segment"), [("SystemCodeNumber", "BHMBCCMKT01"), ("weekday", "5"), ("hour", "9")]
)
def test_a_category_is_measured_in_training_and_in_the_window(
    parking: Run, feature: str, segment: str
) -> None:
    report = parking("segment", feature=feature, segment=segment, **WEEK)

    found = SegmentMetric.model_validate(report["segment"])
    assert found.rows > 0
    assert found.reference is not None
    assert found.current is not None


def test_a_category_that_does_not_occur_has_no_metric(parking: Run) -> None:
    report = parking("segment", feature="SystemCodeNumber", segment="the moon", **WEEK)

    found = SegmentMetric.model_validate(report["segment"])
    assert (found.reference, found.current, found.rows) == (None, None, 0)


def test_a_numeric_feature_is_no_segment(parking: Run) -> None:
    with pytest.raises(Refused, match="these columns do: SystemCodeNumber, hour, weekday"):
        parking("segment", feature="Capacity", segment="500", **WEEK)


def test_only_configured_columns_make_segments() -> None:
    rows = pd.DataFrame({"at": pd.to_datetime(["2026-01-01"], utc=True), "a": "x", "b": "y"})
    both = (
        Feature(name="a", kind=FeatureKind.CATEGORICAL),
        Feature(name="b", kind=FeatureKind.CATEGORICAL),
    )
    spec = a_spec(timestamp="at", features=both, time_features=())

    everything = dict(list_segment_columns(rows, spec))
    chosen = dict(list_segment_columns(rows, spec.model_copy(update={"segments": ("b",)})))

    assert (sorted(everything), sorted(chosen)) == (["a", "b"], ["b"])
