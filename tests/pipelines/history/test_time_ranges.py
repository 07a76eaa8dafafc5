from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.detection.windows import WEEK, make_spec
from trimtab.contracts.model import Slice
from trimtab.pipelines.history.time_ranges import (
    TimeRange,
    compute_retraining_range,
    compute_slice_range,
    find_holdout_start,
    find_newest_labelled_range,
)

AS_OF = datetime(2026, 3, 2, tzinfo=UTC)


def test_late_labels_move_the_newest_labelled_window_back() -> None:
    newest = find_newest_labelled_range(make_spec(label_delay=timedelta(days=2)), AS_OF)

    assert newest == TimeRange(AS_OF - timedelta(days=9), AS_OF - timedelta(days=2))


def test_verification_is_the_last_fifth_of_the_newest_window_and_the_gate_the_one_before() -> None:
    gate = compute_slice_range(make_spec(), AS_OF, Slice.GATE)
    verification = compute_slice_range(make_spec(), AS_OF, Slice.VERIFICATION)

    assert verification == TimeRange(AS_OF - 0.2 * WEEK, AS_OF)
    assert gate == TimeRange(AS_OF - 0.4 * WEEK, AS_OF - 0.2 * WEEK)


@given(
    gate=st.floats(0.01, 0.49),
    verification=st.floats(0.01, 0.49),
    delay=st.timedeltas(timedelta(0), timedelta(days=60)),
    windows=st.integers(1, 20),
)
def test_a_challenger_never_learns_from_rows_that_judge_it(
    gate: float, verification: float, delay: timedelta, windows: int
) -> None:
    model = make_spec(
        gate_fraction=gate,
        verification_fraction=verification,
        label_delay=delay,
        reference_windows=windows,
    )

    learned = compute_retraining_range(model, AS_OF)
    judged = [compute_slice_range(model, AS_OF, part) for part in (Slice.GATE, Slice.VERIFICATION)]

    assert learned.start < learned.end == judged[0].start
    assert judged[0].start < judged[0].end == judged[1].start
    assert judged[1].end == AS_OF - delay


def test_a_challenger_learns_from_as_much_as_the_first_champion_and_the_newest_window() -> None:
    assert compute_retraining_range(make_spec(), AS_OF) == TimeRange(
        AS_OF - 4 * WEEK, AS_OF - 0.4 * WEEK
    )


def test_a_long_range_holds_out_a_whole_window_and_a_short_one_a_quarter() -> None:
    long, short = TimeRange(AS_OF - 3 * WEEK, AS_OF), TimeRange(AS_OF - 2 * WEEK, AS_OF)

    assert find_holdout_start(make_spec(), long) == AS_OF - WEEK
    assert find_holdout_start(make_spec(), short) == AS_OF - 0.5 * WEEK


def test_windows_of_an_hour_hold_out_every_hour_of_a_week_or_a_day() -> None:
    hourly = make_spec().model_copy(update={"window": timedelta(hours=1)})
    long, short = TimeRange(AS_OF - 3 * WEEK, AS_OF), TimeRange(AS_OF - WEEK, AS_OF)

    assert find_holdout_start(hourly, long) == AS_OF - WEEK
    assert find_holdout_start(hourly, short) == AS_OF - timedelta(days=1)
