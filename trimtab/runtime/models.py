"""Loads the configured models and the policy's limits.

`conf/local` of the working directory overrides `conf/base` of the checkout: a model's local file
replaces the shipped one; a local policy's values replace single values of the shipped policy.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

from trimtab.contracts.base import compute_digest
from trimtab.contracts.decision import Limits
from trimtab.contracts.drift import FeatureKind
from trimtab.contracts.model import ModelSpec, ReferencePeriod, Task
from trimtab.contracts.suggestions import suggest_name
from trimtab.runtime.configuration import merge_mappings, read_mapping, validate_record
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.model_files import (
    find_model_file,
    find_model_of_file,
    list_model_names,
    list_own_model_names,
)
from trimtab.runtime.paths import format_command, local_conf, shipped_conf
from trimtab.runtime.policy_files import check_limits, read_policy_file

METRICS_BY_TASK: Final = {
    Task.REGRESSION: ("r2",),
    Task.CLASSIFICATION: ("roc_auc", "balanced_accuracy"),
}
"""Metrics that each task can be judged by."""
MODEL_NAME_PATTERN: Final = r"^\w[\w. -]{0,127}$"
"""Pattern of a model's name: `contracts.base.Name` without ":" and "/", which MLflow refuses."""
TIME_FEATURES: Final = ("hour", "weekday", "month")
"""Features that can be derived from the timestamp."""


def check_model_name(name: str) -> Iterator[str]:
    """Yield why the model registry would refuse the name; it may be a `contracts.base.Name`."""
    if not re.fullmatch(MODEL_NAME_PATTERN, name) or name.strip() != name:
        rule = "a model's name may hold letters, digits, _ and inside . - and spaces, at most 128"
        yield f"{name!r}: {rule}: call it {propose_model_name(name)!r}, for example"


def propose_model_name(name: str) -> str:
    """Return the most similar name that the registry accepts."""
    return re.sub(r"[^\w. -]", "-", name).strip(" .-")[:128].strip() or "my-model"


def load_model_spec(name: str) -> ModelSpec:
    """Return the model's specification.

    Raises:
        BadConfigurationError: The model is not configured, or everything that is wrong with it.
    """
    path = find_model_file(name)
    if path is None:
        raise BadConfigurationError([_format_unknown_model(name)])
    spec = validate_record(read_mapping(path), ModelSpec, thing=str(path))
    faults = [f"{path}: {fault}" for fault in _check_spec(spec)]
    if faults:
        raise BadConfigurationError(faults)
    return spec


def load_limits(policy: Path | None = None) -> Limits:
    """Return the policy's limits.

    Args:
        policy: The file that overrides the shipped policy; None for that of `conf/local`.

    Raises:
        BadConfigurationError: Everything that is wrong with them.
    """
    base, local = shipped_conf() / "base" / "policy.yml", policy or local_conf() / "policy.yml"
    over = read_policy_file(local) if policy or local.exists() else {}
    thing = f"{base} under {local}" if over else str(base)
    limits = validate_record(merge_mappings(read_policy_file(base), over), Limits, thing=thing)
    faults = [f"{thing}: {fault}" for fault in check_limits(limits)]
    if faults:
        raise BadConfigurationError(faults)
    return limits


def compute_policy_hash(limits: Limits) -> str:
    """Return the digest of the limits, which decisions and grants are bound to."""
    return compute_digest(limits)


def _format_unknown_model(name: str) -> str:
    if other := find_model_of_file(name):
        return f"model {name!r}: is not configured; the file of that name is of model {other!r}"
    meant, own = suggest_name(name, list_model_names()), list_own_model_names(Path())
    known = f"configured are {', '.join(own)}" if own else f"{local_conf() / 'models'} has no model"
    hint = f"did you mean {meant}? " if meant else ""
    options = ("--data", "FILE", "--target", "COLUMN", "--timestamp", "COLUMN")
    init = format_command("init", "MODEL", *options)
    return f"model {name!r}: is not configured; {known}: {hint}To configure one: `{init}`"


def _check_spec(spec: ModelSpec) -> Iterator[str]:
    """Yield everything that is wrong with a specification and the record cannot see."""
    yield from (f"name = {fault}" for fault in check_model_name(spec.name))
    if spec.metric not in METRICS_BY_TASK[spec.task]:
        known = " or ".join(METRICS_BY_TASK[spec.task])
        yield f"metric = {spec.metric!r}: unknown for {spec.task}: write {known}"
    if spec.window <= timedelta(0):
        yield f"window = {spec.window}: must be longer than 0: write P7D (7 days), for example"
    for word in spec.time_features:
        if word not in TIME_FEATURES:
            yield f"time_features = {word!r}: unknown: choose from {', '.join(TIME_FEATURES)}"
    used = {feature.name for feature in spec.features} | {spec.target, spec.timestamp}
    if spec.prediction in used:
        yield f"prediction = {spec.prediction!r}: has another use too: take it out of one of them"
    used |= {spec.prediction} if spec.prediction else set()
    yield from _check_monitoring(spec)
    for column in sorted(used & set(spec.ignored)):
        yield f"ignored = {column!r}: it is used too: take it out of one of them"
    target_bounds = (spec.target_minimum, spec.target_maximum)
    yield from _check_bounds(spec.target, target_bounds)
    for feature in spec.features:
        bounds = (feature.minimum, feature.maximum)
        if feature.kind is FeatureKind.CATEGORICAL and bounds != (None, None):
            yield f"features.{feature.name} = {bounds}: a category has no bounds: take them out"
        yield from _check_bounds(feature.name, bounds)


def _check_monitoring(spec: ModelSpec) -> Iterator[str]:
    for column in spec.segments:
        if column in {spec.target, spec.timestamp, spec.prediction}:
            yield f"segments = {column!r}: is no categorical feature: name categorical features"
    twice = sorted({name for name in spec.segments if spec.segments.count(name) > 1})
    if twice:
        yield f"segments = {', '.join(twice)}: stands twice: take one out"
    if spec.reference is ReferencePeriod.SEASON and spec.season % spec.window:
        whole = max(1, round(spec.season / spec.window)) * spec.window
        fault = f"season = {spec.season}: is no whole number of windows of {spec.window}"
        yield f"{fault}: write PT{whole / timedelta(hours=1):.12g}H, for example"


def _check_bounds(column: str, bounds: tuple[float | None, float | None]) -> Iterator[str]:
    minimum, maximum = bounds
    if minimum is not None and maximum is not None and minimum > maximum:
        yield f"minimum of {column} = {minimum}: above its maximum {maximum}: swap them"
