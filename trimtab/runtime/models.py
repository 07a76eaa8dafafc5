"""The models under watch and the policy's limits, as people configured them.

`conf/base` of the checkout lies under `conf/local` of the working directory: a model's local file
replaces the shipped one, a local policy's values replace single values of the shipped policy.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

from trimtab.contracts.base import digest
from trimtab.contracts.decision import Blackout, Limits
from trimtab.contracts.drift import FeatureKind
from trimtab.contracts.model import ModelSpec, ReferencePeriod, Task
from trimtab.contracts.suggestions import suggest_name
from trimtab.runtime.configuration import merge_mappings, read_mapping, validate_record
from trimtab.runtime.errors import BadConfigurationError
from trimtab.runtime.paths import local_conf, shipped_conf

METRICS: Final = {
    Task.REGRESSION: ("r2",),
    Task.CLASSIFICATION: ("roc_auc", "balanced_accuracy"),
}
"""The metrics there are for each task."""
MODEL_NAME_PATTERN: Final = r"^\w[\w. -]{0,127}$"
"""What a model may be called: as `contracts.base.Name`, but MLflow takes no ":" and no "/"."""
TIME_FEATURES: Final = ("hour", "weekday", "month")
"""What can be derived from the timestamp."""
_DAYS_OF_WEEK = range(7)


def slug(name: str) -> str:
    """What a model's files are called: its name, with "-" where a file name should not go."""
    return re.sub(r"[^\w.-]", "-", name)


def name_faults(name: str) -> Iterator[str]:
    """Why the model registry would not take the name; it may be a `contracts.base.Name` still."""
    if not re.fullmatch(MODEL_NAME_PATTERN, name) or name.strip() != name:
        rule = "a model's name may hold letters, digits, _ and inside . - and spaces, at most 128"
        yield f"{name!r}: {rule}: call it {proposed_name(name)!r}, say"


def proposed_name(name: str) -> str:
    """The nearest name that the registry takes."""
    return re.sub(r"[^\w. -]", "-", name).strip(" .-")[:128].strip() or "my-model"


def model_names() -> tuple[str, ...]:
    """Every configured model's name, sorted; a broken file is named by its file name."""
    return tuple(sorted({_name_in(path) for path in _files().values()}))


def load_model(name: str) -> ModelSpec:
    """The model's configuration; raises `BadConfigurationError` with every fault."""
    path = _files().get(slug(name))
    if path is None:
        raise BadConfigurationError([_unknown(name)])
    spec = validate_record(read_mapping(path), ModelSpec, thing=str(path))
    faults = [f"{path}: {fault}" for fault in _spec_faults(spec, name)]
    if faults:
        raise BadConfigurationError(faults)
    return spec


def load_limits() -> Limits:
    """The policy's limits; raises `BadConfigurationError` with every fault."""
    base, local = shipped_conf() / "base" / "policy.yml", local_conf() / "policy.yml"
    over = read_mapping(local) if local.exists() else {}
    thing = f"{base} under {local}" if over else str(base)
    limits = validate_record(merge_mappings(read_mapping(base), over), Limits, thing=thing)
    faults = [f"{thing}: {fault}" for fault in _limits_faults(limits)]
    if faults:
        raise BadConfigurationError(faults)
    return limits


def policy_hash(limits: Limits) -> str:
    """What decisions and grants are bound to."""
    return digest(limits)


def _files() -> dict[str, Path]:
    folders = (shipped_conf() / "base" / "models", local_conf() / "models")
    return {path.stem: path for folder in folders for path in sorted(folder.glob("*.yml"))}


def _name_in(path: Path) -> str:
    try:
        return str(read_mapping(path).get("name", path.stem))
    except BadConfigurationError:
        return path.stem


def _unknown(name: str) -> str:
    names = model_names()
    meant = suggest_name(name, names)
    there = f"there are {', '.join(names)}" if names else "there are none"
    hint = f"did you mean {meant}? " if meant else ""
    init = "`trimtab init NAME --data FILE --target COLUMN --timestamp COLUMN` makes one"
    return f"model {name!r}: not configured; {there}: {hint}{init}"


def _spec_faults(spec: ModelSpec, asked: str) -> Iterator[str]:
    if spec.name != asked:
        yield f"name = {spec.name!r}: the file is {asked!r}'s: rename one of them"
    yield from (f"name = {fault}" for fault in name_faults(spec.name))
    if spec.metric not in METRICS[spec.task]:
        known = " or ".join(METRICS[spec.task])
        yield f"metric = {spec.metric!r}: unknown for {spec.task}: write {known}"
    if spec.window <= timedelta(0):
        yield f"window = {spec.window}: a window must last: write a span such as P7D (7 days)"
    for word in spec.time_features:
        if word not in TIME_FEATURES:
            yield f"time_features = {word!r}: unknown: choose from {', '.join(TIME_FEATURES)}"
    used = {feature.name for feature in spec.features} | {spec.target, spec.timestamp}
    if spec.prediction in used:
        yield f"prediction = {spec.prediction!r}: is used otherwise too: take it out of one of them"
    used |= {spec.prediction} if spec.prediction else set()
    yield from _watch_faults(spec)
    for column in sorted(used & set(spec.ignored)):
        yield f"ignored = {column!r}: it is used too: take it out of one of them"
    target_bounds = (spec.target_minimum, spec.target_maximum)
    yield from _bounds_faults(spec.target, target_bounds)
    for feature in spec.features:
        bounds = (feature.minimum, feature.maximum)
        if feature.kind is FeatureKind.CATEGORICAL and bounds != (None, None):
            yield f"features.{feature.name} = {bounds}: a category has no bounds: take them out"
        yield from _bounds_faults(feature.name, bounds)


def _watch_faults(spec: ModelSpec) -> Iterator[str]:
    for column in spec.segments:
        if column in {spec.target, spec.timestamp, spec.prediction}:
            yield f"segments = {column!r}: is no property of a row: name categorical features"
    twice = sorted({name for name in spec.segments if spec.segments.count(name) > 1})
    if twice:
        yield f"segments = {', '.join(twice)}: stands twice: take one out"
    if spec.reference is ReferencePeriod.SEASON and spec.season % spec.window:
        whole = max(1, round(spec.season / spec.window)) * spec.window
        said = f"season = {spec.season}: holds no whole number of windows of {spec.window}"
        yield f"{said}: write PT{whole / timedelta(hours=1):.12g}H, say"


def _bounds_faults(column: str, bounds: tuple[float | None, float | None]) -> Iterator[str]:
    minimum, maximum = bounds
    if minimum is not None and maximum is not None and minimum > maximum:
        yield f"minimum of {column} = {minimum}: above its maximum {maximum}: swap them"


def _limits_faults(limits: Limits) -> Iterator[str]:
    for blackout in limits.blackouts:
        yield from _blackout_faults(blackout)


def _blackout_faults(blackout: Blackout) -> Iterator[str]:
    place = f"blackouts.{blackout.name}"
    wrong = [day for day in blackout.weekdays if day not in _DAYS_OF_WEEK]
    if wrong:
        yield f"{place}.weekdays = {wrong}: no such day: write 0 (Monday) to 6 (Sunday)"
    if blackout.start.tzinfo is not None:
        yield f"{place}.start = {blackout.start}: has a zone: write local time, and `timezone`"
