"""Models as objects: training passes them to the registry, and scoring gets them back from it.

They never leave the process that loaded or made them; all other code refers to versions.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple, NoReturn, Protocol

from pydantic import JsonValue

from trimtab.contracts.ports import Refused

REFERENCE_PROFILE_FILE = "reference_profile.json"
"""Artifact of a version's run: profile of its training data."""
CALIBRATION_FILE = "calibration.json"
"""Artifact of a version's run: thresholds for windows that are compared with that profile."""
SEASONAL_PROFILES_FILE = "reference_strata.json"
"""Artifact of a version's run: that profile by hour or weekday, if windows need it."""
BASELINE_WINDOWS_FILE = "short_windows.json"
"""Artifact of a version's run: its metric in windows shorter than a week, on held-out rows."""
SEGMENTS_FILE = "holdout_segments.json"
"""Artifact of a version's run: its metric per category, on rows held out at training time."""
RECORDED_CLASSES_FILE = "recorded.json"
"""Artifact of a baseline: the two classes in order, if probabilities of the second were logged."""
IMPORTANCE_FILE = "importance.json"
"""Artifact of a version's run: loss of its metric without each feature, on held-out rows."""
PERFORMANCE_ESTIMATION_FILE = "expectation.json"
"""Artifact of a version's run: parameters for estimating its metric without labels."""
LOSS_FILE = "loss_model.skops"
"""Artifact of a version's run: a second model, which predicts the squared error of the first."""
REFERENCE_ROWS_FILE = "reference_rows.parquet"
"""Artifact of a version's run: a sample of its training rows, features only."""
LEARNABILITY_FILE = "learnability.json"
"""Artifact of a version's run: how well windows of its training rows can be learnt from their own
rows."""


def standard_error_name(metric: str) -> str:
    """Return the name of the metric's standard error among a version's metrics."""
    return f"{metric}_error"


def spread_name(metric: str) -> str:
    """Return the name of the metric's standard deviation between windows among the metrics."""
    return f"{metric}_spread"


def expected_metric_name(metric: str) -> str:
    """Return the name of the first champion's metric, which later versions are compared with."""
    return f"{metric}_expected"


@dataclass(frozen=True, kw_only=True)
class FittedModel:
    """A newly trained model, with everything that is registered with it."""

    estimator: Any
    """A scikit-learn pipeline."""
    example: Any
    """A few rows of its input, as a data frame."""
    metrics: Mapping[str, float]
    params: Mapping[str, str | int | float]
    tags: Mapping[str, str]
    """Tags of the version; their names are in `contracts.tags`."""
    artifacts: Mapping[str, dict[str, JsonValue]]
    """File name to content."""
    frames: Mapping[str, Any] = field(default_factory=dict)
    """File name to data frame, kept as Parquet."""
    companions: Mapping[str, Any] = field(default_factory=dict)
    """File name to a further scikit-learn pipeline, kept in skops format."""
    alias: str | None = None
    """Alias to point at the version; None for no alias."""


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """Measurements that monitoring needs of a version that was made elsewhere.

    It is kept beside the version, which stays unchanged.
    """

    version: str
    key: str
    """Digest of the configuration under which it was measured."""
    metrics: Mapping[str, float]
    """Metrics on the reference windows."""
    artifacts: Mapping[str, dict[str, JsonValue]]
    """File name to content."""
    frames: Mapping[str, Any] = field(default_factory=dict)
    """File name to data frame, kept as Parquet."""
    companions: Mapping[str, Any] = field(default_factory=dict)
    """File name to a further scikit-learn pipeline, kept in skops format."""


def _refuse_artifact(name: str) -> NoReturn:
    msg = f"the version has no artifact {name}, because Trimtab's pipelines did not make it"
    raise Refused(msg)


class ServedWindow(NamedTuple):
    """A monitored window, and the version that it was judged with."""

    version: str
    start: datetime


def _list_no_windows() -> Sequence[ServedWindow]:
    return ()


@dataclass(frozen=True, kw_only=True)
class ServedModel:
    """A registered version."""

    version: str
    run_id: str
    metrics: Mapping[str, float]
    """Metrics measured at training time."""
    tags: Mapping[str, str]
    load: Callable[[], Any] = field(repr=False)
    """Return the scikit-learn pipeline."""
    artifact: Callable[[str], dict[str, JsonValue]] = field(repr=False)
    """Return the content of an artifact by file name; raise `Refused` if there is none."""
    frame: Callable[[str], Any] = field(repr=False, default=_refuse_artifact)
    """Return an artifact as a data frame by file name; raise `Refused` if there is none."""
    companion: Callable[[str], Any] = field(repr=False, default=_refuse_artifact)
    """Return a further scikit-learn pipeline by file name; raise `Refused` if there is none."""
    foreign: bool = False
    """Whether the version was made elsewhere, not by Trimtab's pipelines."""
    served_windows: Callable[[], Sequence[ServedWindow]] = field(
        repr=False, default=_list_no_windows
    )
    """Return the newest monitored windows of the model with the version of each, newest first."""
    baseline: str | None = None
    """Key of a foreign version's newest baseline, which metrics and artifacts belong to."""


class ServedModels(Protocol):
    """All versions of one registered model."""

    def champion(self) -> ServedModel:
        """Return the version with the alias `champion`; raise `Refused` if there is none."""

    def version(self, version: str) -> ServedModel:
        """Return one version; raise `Refused` if there is none."""

    def made_by(self, key: str) -> ServedModel | None:
        """Return the version that carries the effect key, or None."""
