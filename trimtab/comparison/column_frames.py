"""Lists the columns of a comparison, or of a profile, as a pandas data frame."""

import pandas as pd

from trimtab.contracts.comparison import Comparison, FeatureComparison
from trimtab.detection.profiles.window_profile import ColumnProfile, WindowProfile


def list_comparisons(comparison: Comparison) -> pd.DataFrame:
    """Return one row for each compared column, those that drifted first, the target among them."""
    target = [comparison.target] if comparison.target else []
    features = sorted([*target, *comparison.features], key=lambda each: not each.drifted)
    return pd.DataFrame([_describe_comparison(each) for each in features])


def list_profiles(profile: WindowProfile) -> pd.DataFrame:
    """Return one row for each column of a profile, in its order."""
    return pd.DataFrame([_describe_profile(each) for each in profile.columns])


def _describe_comparison(feature: FeatureComparison) -> dict[str, object]:
    effects, test = feature.effects, feature.test
    return {
        "column": feature.name,
        "kind": feature.kind.value,
        "role": feature.role.value,
        "drifted": feature.drifted,
        "psi": effects.psi if effects else None,
        "threshold": feature.threshold,
        "jensen_shannon": effects.jensen_shannon if effects else None,
        "wasserstein": effects.wasserstein if effects else None,
        "total_variation": effects.total_variation if effects else None,
        "test": test.name if test else None,
        "statistic": test.statistic if test else None,
        "p_value": test.p if test else None,
        "adjusted_p_value": test.adjusted_p if test else None,
        "reason": feature.why,
        "missing_reference": feature.null_fraction_reference,
        "missing_current": feature.null_fraction_current,
        "mean_reference": feature.mean_reference,
        "mean_current": feature.mean_current,
    }


def _describe_profile(profile: ColumnProfile) -> dict[str, object]:
    return {
        "column": profile.column.name,
        "kind": profile.column.kind.value,
        "role": profile.column.role.value,
        "missing": profile.null_fraction,
        "unreadable": profile.unreadable,
        "mean": profile.mean,
        "std": profile.std,
        "minimum": profile.minimum,
        "maximum": profile.maximum,
        "most_frequent": profile.categories[0] if profile.categories else None,
    }
