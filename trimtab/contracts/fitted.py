"""Models as objects: what training hands to the registry, and what scoring gets back from it.

These never leave the process that loaded or made them; everything else speaks of versions.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import JsonValue

from trimtab.contracts.ports import Refused

REFERENCE_PROFILE_FILE = "reference_profile.json"
"""Artifact of a version's run: the profile of what it was trained on."""
CALIBRATION_FILE = "calibration.json"
"""Artifact of a version's run: thresholds for windows compared with that profile."""
SEASONAL_PROFILES_FILE = "reference_strata.json"
"""Artifact of a version's run: that profile by hour or weekday, where windows need it."""
BASELINE_WINDOWS_FILE = "short_windows.json"
"""Artifact of a version's run: its metric in windows shorter than a week, on rows held out."""
SEGMENTS_FILE = "holdout_segments.json"
"""Artifact of a version's run: its metric per category, on rows held out at training time."""
RECORDED_CLASSES_FILE = "recorded.json"
"""Artifact of a baseline: the two classes, in order, where chances of the second were recorded."""
IMPORTANCE_FILE = "importance.json"
"""Artifact of a version's run: what its metric loses without a feature, on rows held out."""
PERFORMANCE_ESTIMATION_FILE = "expectation.json"
"""Artifact of a version's run: what is needed to estimate its metric without labels."""
LOSS_FILE = "loss_model.skops"
"""Artifact of a version's run: a second model, of the first one's squared error."""
REFERENCE_ROWS_FILE = "reference_rows.parquet"
"""Artifact of a version's run: a sample of the rows it was trained on, features only."""


def standard_error_name(metric: str) -> str:
    """What the metric's standard error is called among a version's metrics."""
    return f"{metric}_error"


def expected_metric_name(metric: str) -> str:
    """What the metric that a challenger is held to is called: what the first champion had."""
    return f"{metric}_expected"


@dataclass(frozen=True, kw_only=True)
class FittedModel:
    """A model fresh from training, with everything that is registered along with it."""

    estimator: Any
    """A scikit-learn pipeline."""
    example: Any
    """A few rows of its input, as a data frame."""
    metrics: Mapping[str, float]
    params: Mapping[str, str | int | float]
    tags: Mapping[str, str]
    """Of the version; the names are in `contracts.tags`."""
    artifacts: Mapping[str, dict[str, JsonValue]]
    """File name to content."""
    frames: Mapping[str, Any] = field(default_factory=dict)
    """File name to data frame, kept as Parquet."""
    companions: Mapping[str, Any] = field(default_factory=dict)
    """File name to a further scikit-learn pipeline, kept in skops format."""
    alias: str | None = None
    """Alias that shall point at it."""


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """What monitoring needs of a version that was made elsewhere, measured afterwards.

    It is kept beside the version, which stays as it is.
    """

    version: str
    key: str
    """Digest of the configuration that it was measured under."""
    metrics: Mapping[str, float]
    """On the reference windows."""
    artifacts: Mapping[str, dict[str, JsonValue]]
    """File name to content."""
    frames: Mapping[str, Any] = field(default_factory=dict)
    """File name to data frame, kept as Parquet."""
    companions: Mapping[str, Any] = field(default_factory=dict)
    """File name to a further scikit-learn pipeline, kept in skops format."""


def _kept_nothing(name: str) -> Any:  # noqa: ANN401 - what a loader returns
    msg = f"the version has no artifact {name}: it was not made by the pipelines of Trimtab"
    raise Refused(msg)


@dataclass(frozen=True, kw_only=True)
class ServedModel:
    """A registered version."""

    version: str
    run_id: str
    metrics: Mapping[str, float]
    """Measured at training time."""
    tags: Mapping[str, str]
    load: Callable[[], Any] = field(repr=False)
    """The scikit-learn pipeline."""
    artifact: Callable[[str], dict[str, JsonValue]] = field(repr=False)
    """The content of one of its artifacts, by file name; raises `Refused` where there is none."""
    frame: Callable[[str], Any] = field(repr=False, default=_kept_nothing)
    """One of its artifacts as a data frame; raises `Refused` where there is none."""
    companion: Callable[[str], Any] = field(repr=False, default=_kept_nothing)
    """A further scikit-learn pipeline of it; raises `Refused` where there is none."""
    foreign: bool = False
    """Whether it was made elsewhere, not by the pipelines of Trimtab."""
    baseline: str | None = None
    """The key of a foreign version's newest baseline, to which metrics and artifacts belong."""


class ServedModels(Protocol):
    """All versions of one registered model."""

    def champion(self) -> ServedModel:
        """The version that the alias `champion` points at; raises `Refused` where none is."""

    def version(self, version: str) -> ServedModel:
        """One version; raises `Refused` where there is none."""

    def made_by(self, key: str) -> ServedModel | None:
        """The version that carries the effect key, or None."""
