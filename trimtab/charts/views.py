"""What people look at, whatever it came from: a comparison of two files or a model's finding."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from trimtab.contracts.comparison import Comparison, FeatureComparison
from trimtab.contracts.drift import (
    DriftFinding,
    FeatureDrift,
    FeatureKind,
    FeatureRole,
    PerformanceChange,
    PerformanceEstimate,
    QualityFault,
)
from trimtab.contracts.model import Sensitivity

UNKNOWN: Final = "not enough data"
UNITS: Final = "Distance: Wasserstein in standard deviations (sd), or total variation (tv)."
_LEFT_OUT: Final = 5
"""Columns that are named together."""
_FIGURES: Final = re.compile(
    r"^PSI [\d.]+ is (?:above|below) [\d.]+(?:, and|, but|:)? (?:and p [^;]*; )?|\s*\(p [^)]*\)$"
)
"""What a reason repeats of the figures, as `detection.reasons` writes them."""


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

    @property
    def brief(self) -> str:
        """Why, without the figures that stand beside it."""
        told = _FIGURES.sub("", self.why) if self.psi is not None else self.why
        return told if told.strip() else self.why


@dataclass(frozen=True, kw_only=True)
class View:
    """One comparison, as it is drawn; the worst comes first everywhere."""

    title: str
    state: str
    """In a word or two: "drift", "no drift", "corrupt", "not enough data"."""
    alarming: bool
    """Whether the state is bad news."""
    summary: str
    advice: str = ""
    """What to do now; empty where nothing is to be done."""
    facts: tuple[tuple[str, str], ...]
    """Name and value, such as the number of rows."""
    origin: tuple[tuple[str, str], ...] = ()
    """The same, of what only a later reader asks: when, and by what."""
    legend: str = ""
    """How the figures of the columns are to be read."""
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
        advice=_advice(comparison),
        facts=tuple(_facts_of_comparison(comparison)),
        origin=tuple(_origin(comparison)),
        legend=_legend(comparison.sensitivity),
        faults=comparison.quality,
        features=tuple(_compared(feature) for feature in features),
    )


def view_of_finding(finding: DriftFinding) -> View:
    """What was found in a window of a model."""
    drifted = len(finding.drifted)
    named = f" ({_listed([each.name for each in finding.drifted])})" if drifted else ""
    summary = f"{drifted} of {len(finding.features)} columns drifted{named}."
    if finding.corrupt:
        summary = f"nothing may be learnt from this window. {summary}"
    return View(
        title=finding.model,
        state="corrupt" if finding.corrupt else "drift" if drifted else "no drift",
        alarming=finding.corrupt or bool(drifted),
        summary=summary,
        facts=tuple(_facts_of_finding(finding)),
        legend=f"A column drifts where PSI reaches the tick and the test agrees. {UNITS}",
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
    yield "reference", f"{sources.reference or 'unknown'} ({_rows(rows.reference)})"
    yield "current", f"{sources.current or 'unknown'} ({_rows(rows.current)})"
    if comparison.enough and comparison.drifted:
        yield "severity", comparison.severity.value
    if comparison.left_out:
        yield "left out", _left_out(comparison.left_out)


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _left_out(reasons: dict[str, str]) -> str:
    """The columns by reason, in one line."""
    names: dict[str, list[str]] = {}
    for name, why in reasons.items():
        names.setdefault(why, []).append(name)
    return "; ".join(f"{_listed(found)} ({why})" for why, found in names.items())


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _LEFT_OUT
    return ", ".join(f"{name:.80}" for name in names[:_LEFT_OUT]) + (
        f" and {more:,} more" if more > 0 else ""
    )


def _origin(comparison: Comparison) -> Iterator[tuple[str, str]]:
    if comparison.generated:
        yield "compared", f"{comparison.generated:%Y-%m-%d %H:%M %Z}"
    if comparison.version:
        yield "by", f"Trimtab {comparison.version}"


def _advice(comparison: Comparison) -> str:
    if not comparison.enough:
        return f"name tables with at least {comparison.minimum_rows:,} rows that hold values"
    if comparison.corrupt:
        return "mend the data where it comes from, and learn nothing from it until then"
    drifted = [each.name for each in comparison.features if each.drifted]
    if comparison.target and comparison.target.drifted:
        drifted.insert(0, comparison.target.name)
    if drifted:
        return (
            f"find out what changed in {drifted[0]:.80}; if it is meant to stay, learn from current"
            " rows, and make them the reference"
        )
    return "look at the faults of the data" if comparison.drifted else ""


def _legend(limits: Sensitivity) -> str:
    named = {"benjamini_hochberg": "Benjamini-Hochberg", "holm": "Holm"}[limits.correction.value]
    return (
        f"A column drifts where PSI reaches the tick ({limits.psi:g}) and p, adjusted by {named},"
        f" is at most {limits.p_value:g}. {UNITS}"
    )


def _facts_of_finding(finding: DriftFinding) -> Iterator[tuple[str, str]]:
    for name, window in (("reference", finding.reference), ("current", finding.current)):
        span = f"{window.start:%Y-%m-%d %H:%M} to {window.end:%Y-%m-%d %H:%M}"
        yield name, f"{span} ({_rows(window.rows)})"
    yield "severity", finding.severity.value
    if finding.champion_version:
        yield "champion", f"version {finding.champion_version}"
    if change := finding.performance:
        told = _verdict(change, change.current)
        moved = f"{change.reference:.3f} → {change.current:.3f}"
        yield change.metric, f"{moved} on {change.rows:,} labelled rows ({told})"
    if guess := finding.estimate:
        told = _verdict(guess, guess.estimated)
        moved = f"{guess.reference:.3f} → {guess.estimated:.3f}"
        yield f"{guess.metric}, estimated", f"{moved} without labels ({told})"
    if finding.concept_loss is not None:
        yield "concept drift", f"{finding.concept_loss:.3f} lost beyond what the inputs explain"
    if whole := finding.multivariate:
        area = f"AUC {whole.auc:.3f} ({whole.low:.3f} to {whole.high:.3f})"
        yield "all columns at once", f"{area}: {'drift' if whole.drifted else 'no drift'}"


def _verdict(found: PerformanceChange | PerformanceEstimate, now: float) -> str:
    """Whether it degraded, and what a loss that did not count is put down to."""
    if found.degraded:
        return "degraded"
    if now >= found.reference:
        return "no worse"
    spread = "" if found.error is None else f" of {found.error:.3f}, the standard error"
    return f"within the tolerance, or explained by chance{spread}"


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
        threshold=feature.threshold if feature.threshold is not None else Sensitivity().psi,
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
