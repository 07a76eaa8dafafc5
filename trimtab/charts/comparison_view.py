"""Says what is shown of two tables that were compared."""

from collections.abc import Iterator, Mapping
from typing import Final

from trimtab.charts.text import join_names
from trimtab.charts.views import (
    COLUMNS_NAMED,
    DISTANCE_UNITS,
    NOT_ENOUGH_DATA,
    FeatureView,
    View,
    format_rows,
)
from trimtab.contracts.comparison import Comparison, ComparisonLimits, FeatureComparison
from trimtab.contracts.model import Correction

_CORRECTION_NAMES: Final = {
    Correction.BENJAMINI_HOCHBERG: "Benjamini-Hochberg",
    Correction.HOLM: "Holm",
}


def build_comparison_view(comparison: Comparison) -> View:
    """Return what is shown of a comparison; columns that drifted first, the target among them."""
    target = [comparison.target] if comparison.target else []
    features = sorted([*target, *comparison.features], key=lambda each: not each.drifted)
    limits = comparison.sensitivity
    return View(
        title="Comparison",
        state=_name_state(comparison),
        alarming=comparison.enough and comparison.drifted,
        summary=comparison.why,
        advice=_advise(comparison),
        facts=tuple(_list_facts(comparison)),
        origin=tuple(_list_origin(comparison)),
        legend=f"The tick marks PSI {limits.psi:g}. {DISTANCE_UNITS}",
        faults=comparison.quality,
        features=tuple(_view_feature(feature, limits.p_value) for feature in features),
    )


def format_drift_rule(limits: ComparisonLimits) -> str:
    """Return when a column counts as drifted, with the limits that were used."""
    correction = _CORRECTION_NAMES[limits.correction]
    return (
        f"a column drifts if PSI is at least {limits.psi:g} and p, adjusted by {correction}, is at"
        f" most {limits.p_value:g}"
    )


def _name_state(comparison: Comparison) -> str:
    if not comparison.enough:
        return NOT_ENOUGH_DATA
    if comparison.corrupt:
        return "corrupt"
    return "drift" if comparison.drifted else "no drift"


def _advise(comparison: Comparison) -> str:
    if not comparison.enough:
        return f"compare tables with at least {comparison.minimum_rows:,} rows that hold values"
    if comparison.corrupt:
        return "fix the data at its source; do not retrain on it before that"
    drifted = [each.name for each in comparison.features if each.drifted]
    if comparison.target and comparison.target.drifted:
        drifted.insert(0, comparison.target.name)
    if drifted:
        return (
            f"find out what changed in {drifted[0]:.80}; if the change will stay, retrain on"
            " current rows and use them as the reference"
        )
    return "check the data faults" if comparison.drifted else ""


def _list_facts(comparison: Comparison) -> Iterator[tuple[str, str]]:
    rows, sources = comparison.rows, comparison.sources
    yield "reference", f"{sources.reference or 'unknown'} ({format_rows(rows.reference)})"
    yield "current", f"{sources.current or 'unknown'} ({format_rows(rows.current)})"
    if comparison.enough:
        yield "rule", format_drift_rule(comparison.sensitivity)
    if comparison.enough and comparison.drifted:
        yield "severity", comparison.severity.value
    if comparison.left_out:
        yield "left out", _format_left_out(comparison.left_out)


def _format_left_out(reasons: Mapping[str, str]) -> str:
    """Return the columns that were left out, grouped by reason, in one line."""
    names: dict[str, list[str]] = {}
    for name, reason in reasons.items():
        names.setdefault(reason, []).append(name)
    return "; ".join(
        f"{join_names(group, limit=COLUMNS_NAMED)} ({reason})" for reason, group in names.items()
    )


def _list_origin(comparison: Comparison) -> Iterator[tuple[str, str]]:
    if comparison.generated:
        yield "compared", f"{comparison.generated:%Y-%m-%d %H:%M %Z}"
    if comparison.version:
        yield "by", f"Trimtab {comparison.version}"


def _view_feature(feature: FeatureComparison, alpha: float) -> FeatureView:
    effects, test = feature.effects, feature.test
    return FeatureView(
        name=feature.name,
        kind=feature.kind,
        role=feature.role,
        drifted=feature.drifted,
        why=feature.why,
        change=feature.change,
        threshold=feature.threshold,
        psi=effects.psi if effects else None,
        significant=test.adjusted_p <= alpha if test else None,
        jensen_shannon=effects.jensen_shannon if effects else None,
        wasserstein=effects.wasserstein if effects else None,
        total_variation=effects.total_variation if effects else None,
        test=test.name if test else "",
        p=test.adjusted_p if test else None,
        nulls=(feature.null_fraction_reference, feature.null_fraction_current),
        means=(feature.mean_reference, feature.mean_current),
    )
