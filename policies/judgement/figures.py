"""Holds the figures that the rules judge by: measurements only, and no word of a language model.

They are collected from the event, the model's configuration and the evidence, or read from a brief.
"""

from typing import NamedTuple

from policies.rollback import list_fit_targets, parse_version_number
from trimtab.contracts.drift import (
    DriftFinding,
    FaultKind,
    FeatureRole,
    PerformanceChange,
    PerformanceEstimate,
)
from trimtab.contracts.evidence import EvidencePack
from trimtab.contracts.model import ModelSpec, ReferencePeriod
from trimtab.contracts.remediation import Action
from trimtab.contracts.window_signals import WindowSignals

_YEAR_DAYS = 365
"""Days after which most seasonal patterns have recurred."""


class ScoredVersion(NamedTuple):
    """One version of the model, with its metric on the newest labelled rows."""

    name: str
    value: float


class ColumnMove(NamedTuple):
    """How far one column moved."""

    role: FeatureRole
    psi: float
    drifted: bool


class DataFault(NamedTuple):
    """A fault in the data itself."""

    kind: FaultKind
    fraction: float
    corrupt: bool
    column: str | None = None
    gravity: float | None = None
    """How far it can explain a loss, 0 to 1; None if that was not measured."""


class KnownCase(NamedTuple):
    """A document on a similar incident, without its words."""

    similarity: float
    cause: str | None
    succeeded: bool | None
    action: str | None = None
    kind: str = ""
    observed: bool = False
    """Whether the case happened here, and is no worked example."""


class Prices(NamedTuple):
    """What actions and a degraded model cost, in the model's currency."""

    retraining: float = 5.0
    rollback: float = 1.0
    degradation_per_day: float = 50.0
    """Cost of a day on which the metric is one tolerance below its reference."""

    def get_price(self, action: Action) -> float:
        """Return what an action costs itself."""
        prices = {Action.RETRAIN: self.retraining, Action.ROLL_BACK: self.rollback}
        return prices.get(action, 0.0)


class Figures(NamedTuple):
    """Everything that the rules judge an incident by."""

    tolerance: float
    """Loss of the metric that is tolerated."""
    champion: str | None
    moves: tuple[ColumnMove, ...] = ()
    faults: tuple[DataFault, ...] = ()
    performance: PerformanceChange | None = None
    estimate: PerformanceEstimate | None = None
    concept_loss: float | None = None
    """Loss of the metric that covariate shift does not explain."""
    classifier_low: float | None = None
    """Lower end of the confidence interval of the domain classifier's AUC."""
    history_days: int | None = None
    """Days from the first row of the champion's training data to the window's end; None if the
    window is compared with an earlier window."""
    versions: tuple[ScoredVersion, ...] = ()
    """Versions that were measured on the newest labelled rows."""
    targets: tuple[str, ...] = ()
    """Versions that may be rolled back to."""
    cases: tuple[KnownCase, ...] = ()
    target: str = ""
    """Column that the model predicts."""
    signals: WindowSignals | None = None
    """Measurements that tell causes apart; None in events of other or older detectors."""
    costs: Prices = Prices()


def collect_figures(finding: DriftFinding, spec: ModelSpec, pack: EvidencePack) -> Figures:
    """Return the figures of an incident."""
    return Figures(
        tolerance=spec.tolerance,
        champion=pack.champion_version,
        moves=tuple(ColumnMove(each.role, each.psi, each.drifted) for each in finding.features),
        faults=tuple(
            DataFault(each.kind, each.fraction, each.corrupt, each.column, each.gravity)
            for each in finding.quality
        ),
        performance=finding.performance,
        estimate=finding.estimate,
        concept_loss=finding.concept_loss,
        classifier_low=finding.multivariate.low if finding.multivariate else None,
        history_days=count_history_days(finding, spec),
        versions=tuple(ScoredVersion(*each) for each in pack.measured_metrics.items()),
        targets=list_fit_targets(pack, margin=spec.promotion_margin),
        cases=tuple(
            KnownCase(
                each.similarity,
                each.cause,
                each.succeeded,
                each.action,
                each.kind,
                observed=each.origin != "example",
            )
            for each in pack.documents
        ),
        target=spec.target,
        signals=finding.signals,
        costs=Prices(
            float(spec.costs.retraining),
            float(spec.costs.rollback),
            float(spec.costs.degradation_per_day),
        ),
    )


def count_history_days(finding: DriftFinding, spec: ModelSpec) -> int | None:
    """Return the days that the champion's training data and the time since then cover."""
    if spec.reference is not ReferencePeriod.TRAINING:
        return None
    return (finding.current.end - finding.reference.start).days


def find_better_version(figures: Figures) -> ScoredVersion | None:
    """Return the earlier version with the best metric, if it is better than the champion's.

    A better metric of a later version speaks for newer data, not for a bad release.
    """
    champion_number = parse_version_number(figures.champion or "")
    earlier = [
        version
        for version in figures.versions
        if parse_version_number(version.name) < champion_number
    ]
    champion = get_champion_metric(figures)
    best = max(earlier, key=lambda version: version.value, default=None)
    if best is None or champion is None or best.value <= champion:
        return None
    return best


def find_rollback_target(figures: Figures) -> ScoredVersion | None:
    """Return the best of the versions that may be rolled back to, or None."""
    fit = [version for version in figures.versions if version.name in figures.targets]
    return max(fit, key=lambda version: version.value, default=None)


def get_champion_metric(figures: Figures) -> float | None:
    """Return the champion's metric on the newest rows, or None if it was not measured."""
    for version in figures.versions:
        if version.name == figures.champion:
            return version.value
    return figures.performance.current if figures.performance else None


def compute_loss(figures: Figures) -> float | None:
    """Return the loss of the metric in multiples of the tolerance; None without labels."""
    performance = figures.performance
    if performance is None or performance.rows == 0:
        return None
    return (performance.reference - performance.current) / figures.tolerance


def compute_largest_psi(figures: Figures, role: FeatureRole) -> float:
    """Return the largest PSI among the columns of a role."""
    return max((each.psi for each in figures.moves if each.role is role), default=0.0)


def compute_unseen_season(figures: Figures) -> float:
    """Return the share of a year that the champion has not seen, 0 to 1; 0 if unknown."""
    days = figures.history_days
    return 0.0 if days is None else min(1.0, max(0.0, 1.0 - days / _YEAR_DAYS))


def saturate_sharply(value: float, *, half_at: float) -> float:
    """Map a value of 0 or more to 0 up to 1: one half at `half_at`, 0.96 at five times as much."""
    return saturate(value**2, half_at=half_at**2) if value > 0.0 else 0.0


def saturate(value: float, *, half_at: float) -> float:
    """Map a value of 0 or more to 0 up to 1: one half at `half_at`, and close to 1 far beyond."""
    return value / (value + half_at) if value > 0.0 else 0.0
