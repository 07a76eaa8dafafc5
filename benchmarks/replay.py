"""Watches a model over a table by the pipelines' own functions, without a registry or a stream."""

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
from trimtab.pipelines.requests import MonitoringRequest
from trimtab.pipelines.scoring.calibration import load_calibration
from trimtab.pipelines.scoring.predictions import predict_targets
from trimtab.pipelines.scoring.realised_performance import WindowMeasurement


class Look(NamedTuple):
    """What one window showed."""

    finding: DriftFinding | None
    announced: bool
    measured: WindowMeasurement
    harm: PerformanceImpact

    @property
    def why(self) -> str:
        """What was found, in a few words."""
        found = self.finding
        if found is None:
            return ""
        told = [each.name for each in found.drifted]
        told += [f"{fault.kind} {fault.column or ''}".strip() for fault in found.quality]
        if found.multivariate and found.multivariate.drifted:
            told.append(f"AUC {found.multivariate.auc:.2f}")
        if found.performance and found.performance.degraded:
            told.append(f"{found.performance.metric} {found.performance.current:.3f}")
        if found.estimate and found.estimate.degraded:
            told.append(f"estimated {found.estimate.estimated:.3f}")
        return ", ".join(told)


class Watched:
    """A champion fresh from training, and looks at later windows."""

    def __init__(self, spec: ModelSpec, history: pd.DataFrame, *, start: datetime) -> None:
        self.spec = spec
        self.span = compute_reference_range(spec, start)
        self._history = history
        self._champion = _served(fit_model(history, spec, time_range=self.span, seed=0, tags={}))
        self.calibration = load_calibration(self._champion)

    def champion(self) -> ServedModel:
        """The version that serves."""
        return self._champion

    def version(self, version: str) -> ServedModel:
        """The same: there is no other."""
        assert version == self._champion.version  # noqa: S101 - the only one
        return self._champion

    def made_by(self, key: str) -> None:
        """None of them was made for an incident."""

    def look(self, rows: pd.DataFrame, span: TimeRange) -> Look:
        """As the pipeline `monitoring` looks at a window of these rows."""
        spec = self.spec
        request = MonitoringRequest(model=spec.name, start=span.start, end=span.end)
        rows = rows.reset_index(drop=True)
        reference = nodes.choose_reference(self._history, spec, request, self)
        predictions = nodes.predict_window(rows, spec, reference)
        measured = nodes.measure_window(self._history, rows, spec, request, reference, predictions)
        harm = nodes.assess_impact(rows, spec, request, reference, predictions, measured)
        found = nodes.find_window_drift(measured, spec, reference, harm)
        finding = found[0] if found else None
        announced = finding is not None and should_publish(finding, spec)
        return Look(finding, announced, measured, harm)

    def told(self, rows: pd.DataFrame) -> pd.DataFrame:
        """What others are shown of the rows: the same columns, with predictions and labels."""
        names = [each.name for each in self.spec.features]
        model = self._champion.load()
        predictions = predict_targets(model, rows.reset_index(drop=True), self.spec)
        told = rows[[*names, self.spec.target]].reset_index(drop=True)
        return told.assign(prediction=predictions.to_numpy())


def _served(fitted: FittedModel) -> ServedModel:
    def among(kept: Mapping[str, Any]) -> Callable[[str], Any]:
        def find(name: str) -> Any:  # noqa: ANN401 - of any kind
            if name not in kept:
                msg = f"the version has no {name}"
                raise Refused(msg)
            return kept[name]

        return find

    return ServedModel(
        version="1",
        run_id="replay",
        metrics=fitted.metrics,
        tags=fitted.tags,
        load=lambda: fitted.estimator,
        artifact=among(fitted.artifacts),
        frame=among(fitted.frames),
        companion=among(fitted.companions),
    )


def features_of(finding: DriftFinding) -> list[str]:
    """The drifted inputs, the worst first."""
    return [each.name for each in finding.drifted if each.role is FeatureRole.FEATURE]
