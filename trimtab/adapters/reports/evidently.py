"""Reads Evidently's reports: of 0.7 and later, and the preset JSON of the versions before.

Newer: `snapshot.save_json(path)` or `snapshot.json()` of a report with `DataDriftPreset` or
`ValueDrift`. Older: `report.save_json(path)` with `DataDriftPreset` or `DataDriftTable`.
Neither tells which window was looked at.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from trimtab.adapters.reports.report import (
    ForeignReport,
    MalformedReportError,
    parse_feature,
    read_json,
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
"""Methods whose score we have a field for, by the names that Evidently shows and takes; its
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
_CATEGORICAL: Final = {
    "chi-square p_value", "chisquare", "z-test p_value", "z", "g_test", "fisher's exact test",
    "fisher_exact", "total-variation-distance", "tvd",
}  # fmt: skip
_READ: Final = {
    "ValueDrift", "RowCount", "DriftedColumnsCount", "DatasetDriftMetric", "DataDriftTable",
}  # fmt: skip
_EXPECTED: Final = (
    "expected what Evidently's save_json writes, with a drift metric per column in `metrics`"
    " (DataDriftPreset)"
)


def read_evidently(raw: bytes) -> ForeignReport:
    """What the report says of each column; raises `MalformedReportError`."""
    content = read_json(raw)
    metrics = content.get("metrics") if isinstance(content, dict) else None
    if not isinstance(metrics, list) or not all(isinstance(each, dict) for each in metrics):
        msg = f"it has no list `metrics`: {_EXPECTED}"
        raise MalformedReportError(msg)
    features = [*_values(metrics), *_table(metrics)]
    if not features:
        there = ", ".join(sorted({_title(each) for each in metrics})) or "nothing"
        msg = f"it says of no column whether it drifted, but has {there}: {_EXPECTED}"
        raise MalformedReportError(msg)
    version = content.get("version")
    return ForeignReport(
        detector=f"evidently {version}" if isinstance(version, str) else "evidently",
        features=sort_drifted_first(features),
        unread=_unread(metrics),
        rows=_rows(metrics),
        made_at=_instant(content.get("timestamp")),
    )


def _values(metrics: list[dict[str, Any]]) -> Iterator[FeatureDrift]:
    """Of 0.7 and later: one metric a column."""
    for each in metrics:
        config = each.get("config")
        if not isinstance(config, dict) or not str(config.get("type")).endswith(":ValueDrift"):
            continue
        method, score = str(config.get("method")), each.get("value")
        threshold = config.get("threshold")
        if not isinstance(score, int | float) or not isinstance(threshold, int | float):
            msg = f"column {config.get('column')!r}: {method} {score!r} against {threshold!r}"
            raise MalformedReportError(msg)
        yield _feature(
            config.get("column"),
            (method, float(score), float(threshold)),
            drifted=_drifted(method, float(score), float(threshold)),
            kind=FeatureKind.CATEGORICAL if method.lower() in _CATEGORICAL else FeatureKind.NUMERIC,
        )


def _table(metrics: list[dict[str, Any]]) -> Iterator[FeatureDrift]:
    """Before 0.7: one table of columns."""
    for each in metrics:
        result = each.get("result")
        columns = result.get("drift_by_columns") if isinstance(result, dict) else None
        for name, found in (columns or {}).items():
            try:
                how = (str(found["stattest_name"]), float(found["drift_score"]))
                threshold, drifted = float(found["stattest_threshold"]), found["drift_detected"]
                numeric = found["column_type"] == "num"
            except (KeyError, TypeError, ValueError) as error:
                msg = f"column {name!r}: {type(error).__name__}: {error}: {_EXPECTED}"
                raise MalformedReportError(msg) from error
            kind = FeatureKind.NUMERIC if numeric else FeatureKind.CATEGORICAL
            yield _feature(name, (*how, threshold), drifted=bool(drifted), kind=kind)


def _feature(
    name: object, how: tuple[str, float, float], *, drifted: bool, kind: FeatureKind
) -> FeatureDrift:
    method, score, threshold = how
    fields: dict[str, Any] = {
        "name": name,
        "kind": kind,
        "drifted": drifted,
        "test": method[:64],
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


def _drifted(method: str, score: float, threshold: float) -> bool:
    """Newer reports hold score and threshold, and leave it to the reader which way they count."""
    if method.lower() in _GREATER_IS_DRIFT:
        return score >= threshold
    if method.lower() in _SMALLER_IS_DRIFT:
        return score < threshold
    msg = f"method {method!r}: unknown whether a greater or a smaller score is drift"
    raise MalformedReportError(msg)


def _rows(metrics: list[dict[str, Any]]) -> int:
    for each in metrics:
        config = each.get("config")
        if isinstance(config, dict) and str(config.get("type")).endswith(":RowCount"):
            value = each.get("value")
            return int(value) if isinstance(value, int | float) and value >= 0 else 0
    return 0


def _unread(metrics: list[dict[str, Any]]) -> tuple[str, ...]:
    """What else was measured: data quality and performance, of now alone and without a verdict."""
    return tuple(sorted({_title(each) for each in metrics} - _READ))


def _title(metric: dict[str, Any]) -> str:
    return str(metric.get("metric_name") or metric.get("metric") or "?").partition("(")[0]


def _instant(text: object) -> datetime | None:
    """Evidently writes its own clock's time, without a zone: read as UTC."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
