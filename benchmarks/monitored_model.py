"""Monitors a model on a table with the pipelines' own functions, without registry and stream."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import pandas as pd

from trimtab.contracts.drift import DriftFinding, FeatureRole
from trimtab.contracts.fitted import FittedModel, ServedModel
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.ports import Refused
from trimtab.detection.performance.finding import should_publish
from trimtab.detection.performance.performance_impact import PerformanceImpact
from trimtab.pipelines.history.time_ranges import TimeRange, compute_reference_range
from trimtab.pipelines.learning.model_fitting import fit_model
from trimtab.pipelines.monitoring import nodes
from trimtab.pipelines.monitoring.signals import measure_signals
from trimtab.pipelines.monitoring.window_faults import find_faults
from trimtab.pipelines.requests import MonitoringRequest
from trimtab.pipelines.scoring.calibration import load_calibration
from trimtab.pipelines.scoring.predictions import predict_targets
from trimtab.pipelines.scoring.realised_performance import WindowMeasurement


class WindowResult(NamedTuple):
    """Result of judging one window."""

    finding: DriftFinding | None
    announced: bool
    measured: WindowMeasurement
    impact: PerformanceImpact

    @property
    def why(self) -> str:
        """The findings in a few words; empty if there are none."""
        finding = self.finding
        if finding is None:
            return ""
        words = [each.name for each in finding.drifted]
        words += [f"{fault.kind} {fault.column or ''}".strip() for fault in finding.quality]
        if finding.multivariate and finding.multivariate.drifted:
            words.append(f"AUC {finding.multivariate.auc:.2f}")
        if finding.performance and finding.performance.degraded:
            words.append(f"{finding.performance.metric} {finding.performance.current:.3f}")
        if finding.estimate and finding.estimate.degraded:
            words.append(f"estimated {finding.estimate.estimated:.3f}")
        return ", ".join(words)


class MonitoredModel:
    """A newly trained champion, and the judgement of later windows.

    It offers the pipelines the interface of a registry that holds this one version.
    """

    def __init__(self, spec: ModelSpec, history: pd.DataFrame, *, start: datetime) -> None:
        self.spec = spec
        self.reference_range = compute_reference_range(spec, start)
        self._history = history
        fitted = fit_model(history, spec, time_range=self.reference_range, seed=0, tags={})
        self._champion = _serve(fitted)
        self.calibration = load_calibration(self._champion)

    def champion(self) -> ServedModel:
        """Return the version that serves."""
        return self._champion

    def version(self, version: str) -> ServedModel:
        """Return the only version."""
        assert version == self._champion.version, "there is only one version"
        return self._champion

    def made_by(self, key: str) -> None:
        """Return None: no version was made for an incident."""

    def judge_window(self, rows: pd.DataFrame, window: TimeRange) -> WindowResult:
        """Judge a window of these rows as the pipeline `monitoring` does."""
        spec = self.spec
        request = MonitoringRequest(model=spec.name, start=window.start, end=window.end)
        rows = rows.reset_index(drop=True)
        reference = nodes.choose_reference(self._history, spec, request, self)
        predictions = nodes.predict_window(rows, spec, reference)
        measured = nodes.measure_window(self._history, rows, spec, request, reference, predictions)
        impact = nodes.assess_impact(rows, spec, request, reference, predictions, measured)
        signals = measure_signals(
            self._history, rows, spec, request, reference, measured, impact, self
        )
        faults = find_faults(self._history, rows, spec, request, reference, measured)
        findings = nodes.find_window_drift(measured, spec, reference, impact, faults, signals)
        finding = findings[0] if findings else None
        announced = finding is not None and should_publish(finding, spec)
        return WindowResult(finding, announced, measured, impact)

    def build_peer_table(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return the columns that other tools compare: features, target and predictions."""
        names = [each.name for each in self.spec.features]
        model = self._champion.load()
        predictions = predict_targets(model, rows.reset_index(drop=True), self.spec)
        table = rows[[*names, self.spec.target]].reset_index(drop=True)
        return table.assign(prediction=predictions.to_numpy())


def list_drifted_features(finding: DriftFinding) -> list[str]:
    """Return the names of the drifted inputs, the worst first."""
    return [each.name for each in finding.drifted if each.role is FeatureRole.FEATURE]


def _serve(fitted: FittedModel) -> ServedModel:
    def look_up(stored: Mapping[str, Any]) -> Callable[[str], Any]:
        def find(name: str) -> Any:  # noqa: ANN401 - the values have several types
            if name not in stored:
                msg = f"the version has no {name}"
                raise Refused(msg)
            return stored[name]

        return find

    return ServedModel(
        version="1",
        run_id="replay",
        metrics=fitted.metrics,
        tags=fitted.tags,
        load=lambda: fitted.estimator,
        artifact=look_up(fitted.artifacts),
        frame=look_up(fitted.frames),
        companion=look_up(fitted.companions),
    )
