"""What people look at, whatever it came from: a comparison of two files or a model's finding."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from contracts.comparison import Comparison, FeatureComparison
from contracts.drift import DriftFinding, FeatureDrift, FeatureKind, FeatureRole, QualityFault

UNKNOWN: Final = "not enough data"
_LEFT_OUT: Final = 5
"""Columns that are named among those not compared."""


@dataclass(frozen=True, kw_only=True)
class FeatureView:
    """One column, as it is drawn."""

    name: str
    kind: FeatureKind
    role: FeatureRole
    drifted: bool
    why: str
    threshold: float
    """PSI from which it counts as drifted."""
    psi: float | None
    """None where there were too few values to compare."""
    jensen_shannon: float | None = None
    wasserstein: float | None = None
    total_variation: float | None = None
    test: str = ""
    p: float | None = None
    """Adjusted for the number of columns."""
    impact: float | None = None
    """Estimated loss of the model's metric; None where unknown."""
    nulls: tuple[float, float] = (0.0, 0.0)
    """Share of missing values in the reference and now."""
    means: tuple[float | None, float | None] = (None, None)


@dataclass(frozen=True, kw_only=True)
class View:
    """One comparison, as it is drawn; the worst comes first everywhere."""

    title: str
    state: str
    """In a word or two: "drift", "no drift", "corrupt", "not enough data"."""
    alarming: bool
    """Whether the state is bad news."""
    summary: str
    facts: tuple[tuple[str, str], ...]
    """Name and value, such as the number of rows."""
    faults: tuple[QualityFault, ...]
    features: tuple[FeatureView, ...]

    @property
    def unknown(self) -> bool:
        """Whether nothing can be said."""
        return self.state == UNKNOWN

    @property
    def drifted(self) -> tuple[FeatureView, ...]:
        """The columns that drifted."""
        return tuple(feature for feature in self.features if feature.drifted)


def view_of_comparison(comparison: Comparison) -> View:
    """Two tables compared, the target first among equals."""
    known = [comparison.target] if comparison.target else []
    features = sorted([*known, *comparison.features], key=lambda each: not each.drifted)
    return View(
        title="Comparison",
        state=_state(comparison),
        alarming=comparison.enough and comparison.drifted,
        summary=comparison.why,
        facts=tuple(_facts_of_comparison(comparison)),
        faults=comparison.quality,
        features=tuple(_compared(feature) for feature in features),
    )


def view_of_finding(finding: DriftFinding) -> View:
    """What was found in a window of a model."""
    drifted = len(finding.drifted)
    summary = f"{drifted} of {len(finding.features)} columns drifted."
    if finding.corrupt:
        summary = f"The window is corrupt: nothing may be learnt from it. {summary}"
    return View(
        title=finding.model,
        state="corrupt" if finding.corrupt else "drift" if drifted else "no drift",
        alarming=finding.corrupt or bool(drifted),
        summary=summary,
        facts=tuple(_facts_of_finding(finding)),
        faults=finding.quality,
        features=tuple(_found(feature) for feature in finding.features),
    )


def _state(comparison: Comparison) -> str:
    if not comparison.enough:
        return UNKNOWN
    if comparison.corrupt:
        return "corrupt"
    return "drift" if comparison.drifted else "no drift"


def _facts_of_comparison(comparison: Comparison) -> Iterator[tuple[str, str]]:
    rows, sources = comparison.rows, comparison.sources
    yield "reference", f"{sources.reference or 'unknown'} ({rows.reference:,} rows)"
    yield "current", f"{sources.current or 'unknown'} ({rows.current:,} rows)"
    yield "severity", comparison.severity.value
    limits = comparison.sensitivity
    correction = limits.correction.value.replace("_", " ")
    yield "drift is", f"PSI from {limits.psi:g} and p up to {limits.p_value:g} ({correction})"
    if comparison.left_out:
        named = [f"{name} ({why})" for name, why in comparison.left_out.items()]
        more = len(named) - _LEFT_OUT
        yield "left out", "; ".join(named[:_LEFT_OUT]) + (f" and {more} more" if more > 0 else "")
    if comparison.generated:
        yield "compared", f"{comparison.generated:%Y-%m-%d %H:%M %Z}"
    if comparison.version:
        yield "by", f"Trimtab {comparison.version}"


def _facts_of_finding(finding: DriftFinding) -> Iterator[tuple[str, str]]:
    for name, window in (("reference", finding.reference), ("current", finding.current)):
        span = f"{window.start:%Y-%m-%d %H:%M} to {window.end:%Y-%m-%d %H:%M}"
        yield name, f"{span} ({window.rows:,} rows)"
    yield "severity", finding.severity.value
    if finding.champion_version:
        yield "champion", f"version {finding.champion_version}"
    if change := finding.performance:
        told = "degraded" if change.degraded else "within tolerance or chance"
        moved = f"{change.reference:.3f} → {change.current:.3f}"
        yield change.metric, f"{moved} on {change.rows:,} labelled rows ({told})"
    if guess := finding.estimate:
        told = "degraded" if guess.degraded else "within tolerance or chance"
        moved = f"{guess.reference:.3f} → {guess.estimated:.3f}"
        yield f"{guess.metric}, estimated", f"{moved} without labels ({told})"
    if finding.concept_loss is not None:
        yield "concept drift", f"{finding.concept_loss:.3f} lost beyond what the inputs explain"
    if whole := finding.multivariate:
        area = f"AUC {whole.auc:.3f} ({whole.low:.3f} to {whole.high:.3f})"
        yield "all columns at once", f"{area}: {'drift' if whole.drifted else 'no drift'}"


def _compared(feature: FeatureComparison) -> FeatureView:
    effects, test = feature.effects, feature.test
    return FeatureView(
        name=feature.name,
        kind=feature.kind,
        role=feature.role,
        drifted=feature.drifted,
        why=feature.why,
        threshold=feature.threshold,
        psi=effects.psi if effects else None,
        jensen_shannon=effects.jensen_shannon if effects else None,
        wasserstein=effects.wasserstein if effects else None,
        total_variation=effects.total_variation if effects else None,
        test=test.name if test else "",
        p=test.adjusted_p if test else None,
        nulls=(feature.null_fraction_reference, feature.null_fraction_current),
        means=(feature.mean_reference, feature.mean_current),
    )


def _found(feature: FeatureDrift) -> FeatureView:
    return FeatureView(
        name=feature.name,
        kind=feature.kind,
        role=feature.role,
        drifted=feature.drifted,
        why=feature.why,
        threshold=feature.threshold if feature.threshold is not None else 0.2,
        psi=feature.psi,
        jensen_shannon=feature.jensen_shannon,
        wasserstein=feature.wasserstein,
        total_variation=feature.total_variation,
        test=feature.test,
        p=feature.p_value,
        impact=feature.impact,
        nulls=(feature.null_fraction_reference, feature.null_fraction_current),
        means=(feature.mean_reference, feature.mean_current),
    )
