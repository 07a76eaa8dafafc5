"""Reads Evidently's reports: of 0.7 and later, and the preset JSON of the versions before.

Newer: `snapshot.save_json(path)` or `snapshot.json()` of a report with `DataDriftPreset` or
`ValueDrift`. Older: `report.save_json(path)` with `DataDriftPreset` or `DataDriftTable`.
Neither gives the window that was compared.
"""

from collections.abc import Iterator
from typing import Any, Final

from trimtab.adapters.reports.report import (
    ForeignReport,
    MalformedReportError,
    parse_feature,
    parse_instant,
    parse_report_json,
    sort_drifted_first,
)
from trimtab.contracts.drift import FeatureDrift, FeatureKind

_DISTANCES: Final = {
    "wasserstein distance (normed)": "wasserstein",
    "wasserstein": "wasserstein",
    "jensen-shannon distance": "jensen_shannon",
    "jensenshannon": "jensen_shannon",
    "psi": "psi",
}
"""Methods whose score has a field of ours, by the names that Evidently shows and accepts; its
Wasserstein distance is in standard deviations, as ours is."""
_GREATER_IS_DRIFT: Final = {
    *_DISTANCES, "kullback-leibler divergence", "kl_div", "hellinger distance", "hellinger",
    "energy-distance", "ed", "absolute text content drift", "abs_text_content_drift",
}  # fmt: skip
_SMALLER_IS_DRIFT: Final = {
    "k-s p_value", "ks", "chi-square p_value", "chisquare", "z-test p_value", "z", "t_test",
    "anderson-darling", "anderson", "cramer-von mises", "cramer_von_mises", "epps-singleton", "es",
    "fisher's exact test", "fisher_exact", "g_test", "mann-whitney u-rank test", "mannw",
    "total-variation-distance", "tvd", "empirical_mmd", "emperical_mmd",
}  # fmt: skip
_CATEGORICAL_METHODS: Final = {
    "chi-square p_value", "chisquare", "z-test p_value", "z", "g_test", "fisher's exact test",
    "fisher_exact", "total-variation-distance", "tvd",
}  # fmt: skip
_IMPORTED_METRICS: Final = {
    "ValueDrift", "RowCount", "DriftedColumnsCount", "DatasetDriftMetric", "DataDriftTable",
}  # fmt: skip
_EXPECTED: Final = (
    "expected what Evidently's save_json writes, with a drift metric per column in `metrics`"
    " (DataDriftPreset)"
)
_MAX_METHOD_LENGTH: Final = 64

Metric = dict[str, Any]


def read_evidently(raw: bytes) -> ForeignReport:
    """Return the drift of each column in the report.

    Raises:
        MalformedReportError: The file is no such report.
    """
    content = parse_report_json(raw)
    report = content if isinstance(content, dict) else {}
    metrics = report.get("metrics")
    if not isinstance(metrics, list) or not all(isinstance(each, dict) for each in metrics):
        msg = f"it has no list `metrics`: {_EXPECTED}"
        raise MalformedReportError(msg)
    features = [*_read_value_drifts(metrics), *_read_drift_tables(metrics)]
    if not features:
        found = ", ".join(sorted({_get_title(each) for each in metrics})) or "nothing"
        msg = f"it has drift of no column, but {found}: {_EXPECTED}"
        raise MalformedReportError(msg)
    version = report.get("version")
    return ForeignReport(
        detector=f"evidently {version}" if isinstance(version, str) else "evidently",
        features=sort_drifted_first(features),
        unread=_list_unread(metrics),
        rows=_count_rows(metrics),
        made_at=parse_instant(report.get("timestamp")),
    )


def _read_value_drifts(metrics: list[Metric]) -> Iterator[FeatureDrift]:
    """Yield the columns of a report of 0.7 or later, which has one metric a column."""
    for each in metrics:
        config = each.get("config")
        if not isinstance(config, dict) or not str(config.get("type")).endswith(":ValueDrift"):
            continue
        method, score = str(config.get("method")), each.get("value")
        threshold = config.get("threshold")
        if not isinstance(score, int | float) or not isinstance(threshold, int | float):
            msg = f"column {config.get('column')!r}: {method} {score!r} against {threshold!r}"
            raise MalformedReportError(msg)
        categorical = method.lower() in _CATEGORICAL_METHODS
        yield _build_feature(
            config.get("column"),
            (method, float(score), float(threshold)),
            drifted=_is_drift(method, float(score), float(threshold)),
            kind=FeatureKind.CATEGORICAL if categorical else FeatureKind.NUMERIC,
        )


def _read_drift_tables(metrics: list[Metric]) -> Iterator[FeatureDrift]:
    """Yield the columns of a report before 0.7, which has one table of columns."""
    for each in metrics:
        result = each.get("result")
        columns = result.get("drift_by_columns") if isinstance(result, dict) else None
        for name, found in (columns or {}).items():
            try:
                score = (str(found["stattest_name"]), float(found["drift_score"]))
                threshold, drifted = float(found["stattest_threshold"]), found["drift_detected"]
                numeric = found["column_type"] == "num"
            except (KeyError, TypeError, ValueError) as error:
                msg = f"column {name!r}: {type(error).__name__}: {error}: {_EXPECTED}"
                raise MalformedReportError(msg) from error
            kind = FeatureKind.NUMERIC if numeric else FeatureKind.CATEGORICAL
            yield _build_feature(name, (*score, threshold), drifted=bool(drifted), kind=kind)


def _build_feature(
    name: object, measured: tuple[str, float, float], *, drifted: bool, kind: FeatureKind
) -> FeatureDrift:
    """Return a column; `measured` are method, score and threshold."""
    method, score, threshold = measured
    fields: dict[str, Any] = {
        "name": name,
        "kind": kind,
        "drifted": drifted,
        "test": method[:_MAX_METHOD_LENGTH],
        "why": f"Evidently: {method} {score:.4g} against its threshold {threshold:.4g}",
    }
    known = method.lower()
    if known in _DISTANCES:
        fields[_DISTANCES[known]] = score
    elif known in _SMALLER_IS_DRIFT:
        fields["p_value"] = score
    else:
        fields["statistic"] = score
    return parse_feature(fields)


def _is_drift(method: str, score: float, threshold: float) -> bool:
    """Return whether a score is drift; newer reports do not say in which direction it counts."""
    if method.lower() in _GREATER_IS_DRIFT:
        return score >= threshold
    if method.lower() in _SMALLER_IS_DRIFT:
        return score < threshold
    msg = f"method {method!r}: unknown whether a greater or a smaller score is drift"
    raise MalformedReportError(msg)


def _count_rows(metrics: list[Metric]) -> int:
    for each in metrics:
        config = each.get("config")
        if isinstance(config, dict) and str(config.get("type")).endswith(":RowCount"):
            value = each.get("value")
            return int(value) if isinstance(value, int | float) and value >= 0 else 0
    return 0


def _list_unread(metrics: list[Metric]) -> tuple[str, ...]:
    """Return other metrics: quality and performance of the current table, without a verdict."""
    return tuple(sorted({_get_title(each) for each in metrics} - _IMPORTED_METRICS))


def _get_title(metric: Metric) -> str:
    return str(metric.get("metric_name") or metric.get("metric") or "?").partition("(")[0]
