"""The rules name the cause that the figures speak for, and are as sure as the margins allow."""

import itertools
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.judgement.actions import compute_fitness, rank_actions
from policies.judgement.causes import compute_likelihoods
from policies.judgement.figures import Figures, find_better_version, find_rollback_target
from policies.judgement.likelihood_table import PRIOR, TABLE
from policies.judgement.signals import Signal, Signals, read_signals
from tests.agents.cases import (
    bad_release_pack,
    full_pack,
    performance,
    some_figures,
    version_metric,
)
from tests.builders import NOW, WEEK, a_feature_drift
from trimtab.contracts.deliberation import Cause
from trimtab.contracts.drift import (
    FeatureDrift,
    MultivariateDrift,
    PerformanceEstimate,
    QualityFault,
    Window,
)
from trimtab.contracts.remediation import Action
from trimtab.contracts.window_signals import (
    Learnability,
    SeasonalMatch,
    SupportSplit,
    WindowSignals,
)

TWO_YEARS = Window(start=NOW - timedelta(days=730), end=NOW - WEEK, rows=300_000)

share = st.floats(min_value=0.0, max_value=1.0)
any_signals = st.fixed_dictionaries({}, optional=dict.fromkeys(Signal, share))


def moved(*, inputs: float = 0.0, target: float = 0.0) -> tuple[FeatureDrift, ...]:
    return (
        a_feature_drift("Capacity", role="feature", psi=inputs, drifted=inputs > 0.2),
        a_feature_drift("Occupancy", role="target", psi=target, drifted=target > 0.2),
    )


def a_fault(fraction: float = 0.4, *, corrupt: bool = True) -> QualityFault:
    return QualityFault(
        kind="nulls", column="Capacity", detail="Half is empty.", fraction=fraction, corrupt=corrupt
    )


def shares_of(figures: Figures) -> dict[Cause, float]:
    return compute_likelihoods(read_signals(figures))


def an_estimate(estimated: float) -> PerformanceEstimate:
    return PerformanceEstimate(
        metric="r2", reference=0.92, estimated=estimated, error=0.004, rows=3000,
        method="direct_loss", degraded=0.92 - estimated > 0.02,
    )  # fmt: skip


def told_apart(low: float) -> MultivariateDrift:
    return MultivariateDrift(auc=low + 0.01, low=low, high=low + 0.02, rows=3000, drifted=low > 0.6)


CLEAR_CASES: list[tuple[dict[str, Any], Cause, Action]] = [
    ({"features": moved(target=1.0)}, Cause.LABEL_SHIFT, Action.RETRAIN),
    ({"features": moved(inputs=1.0)}, Cause.COVARIATE_SHIFT, Action.RETRAIN),
    ({"features": moved(inputs=6.0, target=0.05)}, Cause.COVARIATE_SHIFT, Action.RETRAIN),
    ({"features": moved(inputs=0.1, target=0.5)}, Cause.LABEL_SHIFT, Action.RETRAIN),
    ({"features": moved()}, Cause.CONCEPT_DRIFT, Action.RETRAIN),
    (
        {"features": moved(target=0.5), "performance": performance(0.92)},
        Cause.HARMLESS,
        Action.MONITOR,
    ),
    (
        {"features": moved(inputs=1.0), "quality": (a_fault(),)},
        Cause.MISSING_VALUES,
        Action.FIX_SOURCE,
    ),
    (
        {
            "features": moved(target=0.3),
            "pack": bad_release_pack(),
        },
        Cause.BAD_RELEASE,
        Action.ROLL_BACK,
    ),
    ({"features": moved(target=1.0), "performance": None}, Cause.UNKNOWN, Action.WAIT),
    (
        {"features": moved(inputs=1.0), "estimate": an_estimate(0.92), "concept_loss": 0.139},
        Cause.CONCEPT_DRIFT,
        Action.RETRAIN,
    ),
    (
        {"features": moved(inputs=1.0), "estimate": an_estimate(0.79), "concept_loss": 0.0},
        Cause.COVARIATE_SHIFT,
        Action.RETRAIN,
    ),
    (
        {
            "features": moved(),
            "multivariate": told_apart(0.9),
            "estimate": an_estimate(0.8),
            "concept_loss": 0.0,
        },
        Cause.COVARIATE_SHIFT,
        Action.RETRAIN,
    ),
    (
        {"features": moved(inputs=0.3), "performance": None, "estimate": an_estimate(0.92)},
        Cause.HARMLESS,
        Action.MONITOR,
    ),
    (
        {
            "features": moved(inputs=2.0),
            "signals": WindowSignals(
                season=SeasonalMatch(period_days=365, reference_psi=2.0, season_psi=0.02)
            ),
        },
        Cause.SEASONALITY,
        Action.RETRAIN,
    ),
    (
        {
            "features": moved(),
            "signals": WindowSignals(
                learnability=Learnability(
                    value=0.02, error=0.03, reference=0.9, trivial=0.0, rows=500
                )
            ),
        },
        Cause.BROKEN_LABELS,
        Action.FIX_SOURCE,
    ),
    (
        {
            "features": moved(inputs=0.3),
            "signals": WindowSignals(
                support=SupportSplit(
                    share_outside=0.2,
                    inside=0.92,
                    outside=0.1,
                    inside_error=0.01,
                    inside_reference=0.92,
                ),
                new_category_share=0.2,
            ),
        },
        Cause.NEW_SEGMENT,
        Action.RETRAIN,
    ),
]


@pytest.mark.parametrize(
    ("finding", "cause", "action"), CLEAR_CASES, ids=[str(case[1]) for case in CLEAR_CASES]
)
def test_a_clear_case_has_a_clear_cause_and_the_action_that_meets_it(
    finding: dict[str, Any], cause: Cause, action: Action
) -> None:
    figures = some_figures(**{"reference": TWO_YEARS, **finding})
    shares = shares_of(figures)

    assert next(iter(shares)) is cause
    assert shares[cause] > 0.25
    assert next(iter(rank_actions(figures, shares))) is action


def test_a_person_may_retrain_on_corrupt_data_and_the_rules_do_not_propose_it() -> None:
    figures = some_figures(features=moved(inputs=1.0), quality=(a_fault(),))

    ranked = rank_actions(figures, shares_of(figures))

    assert next(iter(ranked)) is Action.FIX_SOURCE
    assert ranked[Action.RETRAIN].benefit < 0.0


@pytest.mark.parametrize(
    ("kind", "fraction", "cause"),
    [
        ("nulls", 0.3, Cause.MISSING_VALUES),
        ("range", 0.3, Cause.DATA_QUALITY),
        ("range", 0.005, Cause.CONCEPT_DRIFT),
        ("unseen_category", 0.03, Cause.CONCEPT_DRIFT),
        ("new_column", 1.0, Cause.CONCEPT_DRIFT),
    ],
)
def test_a_fault_that_was_found_explains_a_loss_by_the_rows_that_it_touches(
    kind: str, fraction: float, cause: Cause
) -> None:
    fault = a_fault(fraction, corrupt=False).model_copy(update={"kind": kind})

    assert next(iter(shares_of(some_figures(features=moved(), quality=(fault,))))) is cause


def test_a_season_is_not_ruled_out_before_a_year_was_seen() -> None:
    def shares(days: int, **changes: Any) -> dict[Cause, float]:
        reference = Window(start=NOW - timedelta(days=days), end=NOW - WEEK, rows=9000)
        return shares_of(some_figures(features=moved(), reference=reference, **changes))

    short, year = shares(77), shares(365)

    assert short[Cause.SEASONALITY] > 2 * year[Cause.SEASONALITY]
    assert next(iter(short)) is Cause.CONCEPT_DRIFT


def test_a_column_that_others_found_drifted_by_a_measure_of_their_own_has_moved() -> None:
    unmeasured = a_feature_drift("Capacity", role="feature", psi=0.0, drifted=True)

    signals = read_signals(some_figures(features=(unmeasured,)))

    assert (signals[Signal.INPUTS_MOVED], signals[Signal.TARGET_MOVED]) == (0.5, 0.0)


def test_a_few_dirty_rows_do_not_explain_a_worse_metric() -> None:
    figures = some_figures(features=moved(target=1.0), quality=(a_fault(0.001, corrupt=False),))

    assert next(iter(shares_of(figures))) is Cause.LABEL_SHIFT


def test_going_back_is_no_option_without_a_better_version() -> None:
    worse = some_figures(pack=bad_release_pack(target=0.7))

    assert find_better_version(worse) is None
    assert find_rollback_target(worse) is None
    assert Action.ROLL_BACK not in rank_actions(worse, {Cause.BAD_RELEASE: 1.0})


def test_the_best_of_the_better_versions_is_meant() -> None:
    pack = bad_release_pack(version_metric("3", 0.95), target=0.85, former_champions=("3", "2"))
    figures = some_figures(pack=pack)

    assert find_better_version(figures) == find_rollback_target(figures) == ("3", 0.95)


def test_a_better_version_that_never_was_champion_is_no_version_to_return_to() -> None:
    figures = some_figures(pack=bad_release_pack(version_metric("3", 0.95), former_champions=()))

    assert find_better_version(figures) == ("3", 0.95)
    assert find_rollback_target(figures) is None
    assert Action.ROLL_BACK not in rank_actions(figures, {Cause.BAD_RELEASE: 1.0})


def test_a_later_version_that_does_better_is_nothing_to_go_back_to() -> None:
    later = some_figures(pack=full_pack(version_metric("2", 0.9)))

    assert find_better_version(later) is None


def test_a_metric_exactly_one_tolerance_down_is_undecided() -> None:
    signals = read_signals(some_figures(performance=performance(0.90)))

    assert signals[Signal.WORSE] == pytest.approx(0.5, abs=0.001)


def test_without_labels_an_expected_loss_speaks_for_covariate_shift() -> None:
    figures = some_figures(features=moved(inputs=1.0), performance=None, estimate=an_estimate(0.7))

    assert next(iter(shares_of(figures))) is Cause.COVARIATE_SHIFT


def test_labels_are_believed_more_than_an_estimate() -> None:
    lost: dict[str, Any] = {"features": moved(inputs=1.0), "estimate": an_estimate(0.78)}

    labelled = shares_of(some_figures(**lost, performance=performance(0.78), concept_loss=0.0))
    expected = shares_of(some_figures(**lost, performance=None))

    assert labelled[Cause.COVARIATE_SHIFT] > expected[Cause.COVARIATE_SHIFT]
    assert expected[Cause.UNKNOWN] > labelled[Cause.UNKNOWN]


@given(any_signals, share, share)
def test_the_more_of_a_loss_is_unexplained_the_likelier_is_concept_drift(
    signals: Signals, one: float, other: float
) -> None:
    less, more = ({**signals, Signal.UNEXPLAINED: each} for each in sorted((one, other)))

    before, after = (compute_likelihoods(each) for each in (less, more))
    rise = after[Cause.CONCEPT_DRIFT] * before[Cause.COVARIATE_SHIFT]
    assert rise >= before[Cause.CONCEPT_DRIFT] * after[Cause.COVARIATE_SHIFT] - 1e-9


def test_few_labels_leave_more_to_the_unknown() -> None:
    def unknown(rows: int) -> float:
        return shares_of(some_figures(performance=performance(0.78, rows=rows)))[Cause.UNKNOWN]

    assert unknown(5) > unknown(50) > unknown(5000)


@given(any_signals)
def test_likelihoods_are_shares_of_one_in_falling_order(signals: Signals) -> None:
    shares = list(compute_likelihoods(signals).values())

    assert sum(shares) == pytest.approx(1.0)
    assert shares == sorted(shares, reverse=True)
    assert min(shares) >= 0.0


RISING = [(row.signal, cause) for row in TABLE for cause in row.expected]


@pytest.mark.parametrize(("signal", "cause"), RISING)
@given(signals=any_signals, more=share)
def test_a_stronger_signal_helps_the_cause_that_it_is_most_expected_of(
    signal: Signal, cause: Cause, signals: Signals, more: float
) -> None:
    row = next(each for each in TABLE if each.signal is signal)
    if row.expected[cause] < max(row.expected.values()) or row.expected[cause] < row.otherwise:
        return
    before = signals.get(signal, 0.0)
    weaker, stronger = (
        {**signals, signal: each} for each in (before, before + (1 - before) * more)
    )

    assert compute_likelihoods(stronger)[cause] >= compute_likelihoods(weaker)[cause] - 1e-9


@given(any_signals, share)
def test_a_worse_metric_never_makes_it_look_more_harmless(signals: Signals, more: float) -> None:
    before = signals.get(Signal.WORSE, 0.0)
    two = ({**signals, Signal.WORSE: each} for each in (before, before + (1.0 - before) * more))

    less, worse = (compute_likelihoods(each)[Cause.HARMLESS] for each in two)
    assert worse <= less + 1e-9


def test_every_cause_has_a_prior_and_every_row_a_reason() -> None:
    assert set(PRIOR) == set(Cause)
    assert sum(PRIOR.values()) == pytest.approx(1.0, abs=0.15)
    assert len({row.signal for row in TABLE}) == len(TABLE) == len(Signal)
    assert all(row.reason for row in TABLE)
    chances = [each for row in TABLE for each in (*row.expected.values(), row.otherwise)]
    assert all(0.0 < each < 1.0 for each in chances)


def test_likelihoods_follow_the_margin_without_jumps() -> None:
    losses = [0.92 - step / 1000 for step in range(100)]
    harmless = [
        shares_of(some_figures(features=moved(target=0.3), performance=performance(current)))[
            Cause.HARMLESS
        ]
        for current in losses
    ]

    steps = [abs(one - other) for one, other in itertools.pairwise(harmless)]
    assert max(steps) < 0.1
    assert harmless[0] > 0.75
    assert harmless[-1] < 0.1


@pytest.mark.parametrize("action", list(Action))
@given(any_signals)
def test_the_fitness_of_an_action_is_a_share(action: Action, signals: Signals) -> None:
    assert 0.0 <= compute_fitness(action, compute_likelihoods(signals)) <= 1.0 + 1e-9
