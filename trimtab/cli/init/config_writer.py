"""Writes a proposed configuration as YAML that explains itself: a comment on every line."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from trimtab.contracts.model import Feature, ModelSpec, Task, Tier
from trimtab.detection.onboarding.feature_proposal import ColumnProposal
from trimtab.detection.onboarding.proposal import Proposal
from trimtab.files.yaml_text import format_yaml_line

_MIN_COMMENT_COLUMN: Final = 34
_MAX_COMMENT_COLUMN: Final = 60
_MAX_COMMENT_LENGTH: Final = 160
_METRICS: Final = {
    "r2": "share of the variance that is explained; 1 is perfect",
    "roc_auc": "probability that a random case of one class is ranked above one of the other",
    "balanced_accuracy": "mean share of each class that is predicted correctly",
}

Line = tuple[str, str]
"""YAML, and the comment that explains it."""


def format_model(proposal: Proposal, *, source: Path, catalog: Path) -> str:
    """Return the content of `conf/local/models/MODEL.yml`."""
    head = (
        f"# How Trimtab monitors {proposal.spec.name}; written by `trimtab init`, yours to edit.\n"
        f"# From {make_printable(source)}, {proposal.rows:,} rows. Checked by `trimtab doctor`.\n"
        "# Durations are ISO 8601: P7D is seven days, PT6H six hours, PT0S none.\n\n"
    )
    return head + _join_lines(_list_model_lines(proposal, catalog))


def format_catalog(
    spec: ModelSpec, *, source: Path, model: Path, renamed: Mapping[str, str]
) -> str:
    """Return the content of `conf/local/catalog_MODEL.yml`."""
    filepath = str(source).replace("${", "\\${")
    lines: list[Line] = [
        (f"{format_yaml_line(spec.dataset)}:", f"named by `dataset` in {model}"),
        ("  type: trimtab.adapters.datasets.history.HistoryDataset", "CSV, gzipped CSV or Parquet"),
        (f"  filepath: {format_yaml_line(filepath)}", "absolute: the same from every folder"),
    ]
    if renamed:
        reason = "names with other characters than letters, digits, _ . : / - and spaces"
        lines.append(("  renamed:", reason))
    for name, new in renamed.items():
        lines.append((f"    {format_yaml_line(name)}: {format_yaml_line(new)}", "its name here"))
    head = f"# Where the history of {spec.name} is. conf/base/catalog.yml lists other kinds.\n\n"
    return head + _join_lines(lines)


def make_printable(text: object) -> str:
    """Return text of a table as one line without control characters, for comments and terminals."""
    characters = "".join(each if each.isprintable() else " " for each in str(text))
    return " ".join(characters.split())[:_MAX_COMMENT_LENGTH]


def _list_model_lines(proposal: Proposal, catalog: Path) -> Iterator[Line]:
    spec = proposal.spec
    yield from _list_data_lines(proposal, catalog)
    yield "features:", "inputs of the model; minimum and maximum: the values that make sense"
    contents = {column.name: column.summary for column in proposal.columns}
    for feature in spec.features:
        yield f"  - {_format_feature(feature)}", contents[feature.name]
    yield (
        f"time_features: {format_yaml_line(list(spec.time_features))}",
        "derived from the timestamp",
    )
    yield from _list_ignored_lines([column for column in proposal.columns if column.reason])
    yield from _list_window_lines(proposal)
    yield from _list_monitoring_lines(spec)
    dependence = "rows this close resemble each other: P1D a day's; PT0S none; null: estimated"
    yield f"dependence: {_format_optional(spec.dependence)}", dependence
    if proposal.signature:
        risk = "true runs the model's own code to get predictions: see docs/operations.md"
        yield f"trust_pickle: {format_yaml_line(spec.trust_pickle)}", risk
    yield from _list_decision_lines(spec)


def _list_data_lines(proposal: Proposal, catalog: Path) -> Iterator[Line]:
    spec, interface = proposal.spec, proposal.signature
    inspected = f", inspected version {interface.version}" if interface else ""
    yield f"name: {format_yaml_line(spec.name)}", f"in MLflow{inspected}"
    yield f"task: {spec.task}", proposal.target.reason
    yield f"dataset: {format_yaml_line(spec.dataset)}", f"entry in {catalog}"
    yield f"target: {format_yaml_line(spec.target)}", proposal.target.summary
    if spec.task is Task.REGRESSION:
        minimum = format_yaml_line(_shorten_number(spec.target_minimum))
        yield f"target_minimum: {minimum}", _explain_target_minimum(spec)
    yield f"prediction: {format_yaml_line(spec.prediction)}", _explain_prediction(proposal)
    yield (
        f"timestamp: {format_yaml_line(spec.timestamp)}",
        f"time of each row; {proposal.timestamp_format}",
    )


def _explain_prediction(proposal: Proposal) -> str:
    if proposal.prediction is None:
        return "column with the model's predictions; null: the model is asked again"
    return f"the model's predictions; {proposal.prediction.summary}"


def _explain_target_minimum(spec: ModelSpec) -> str:
    if spec.target_minimum is None:
        return "smallest target that makes sense; null: no bound"
    return "smallest target that makes sense; training leaves out rows below it"


def _format_feature(feature: Feature) -> str:
    fields: dict[str, Any] = {"name": feature.name, "kind": feature.kind.value}
    bounds = {
        "minimum": _shorten_number(feature.minimum),
        "maximum": _shorten_number(feature.maximum),
    }
    return format_yaml_line(
        fields | {key: value for key, value in bounds.items() if value is not None}
    )


def _list_ignored_lines(ignored: Sequence[ColumnProposal]) -> Iterator[Line]:
    yield ("ignored:" if ignored else "ignored: {}"), "columns left out, each with the reason"
    for column in ignored:
        yield (
            f"  {format_yaml_line(column.name)}: {format_yaml_line(column.reason)}",
            column.summary,
        )


def _list_window_lines(proposal: Proposal) -> Iterator[Line]:
    spec, counts = proposal.spec, proposal.counts
    median = sorted(counts)[len(counts) // 2]
    replayed = len(counts) - spec.reference_windows
    if spec.start:
        dated = f"; rows are dated by {proposal.period}, at the ends of windows"
        note = f"where the first window begins{dated if proposal.period else ''}"
        yield f"start: {spec.start.isoformat()}", note
    else:
        yield "start: null", "null: midnight of the first row's day"
    yield f"window: {_format_span(spec.window)}", f"{len(counts)} windows of about {median:,} rows"
    often = "how often the window that ends then is checked; null: when each window ends"
    yield f"monitored_every: {_format_optional(spec.monitored_every)}", often
    training = f"the first champion is trained on these; {replayed} are left to replay"
    yield f"reference_windows: {spec.reference_windows}", training
    delay = "how long after a row its target is known, such as P30D; PT0S: at once"
    yield f"label_delay: {_format_span(spec.label_delay)}", delay


def _list_monitoring_lines(spec: ModelSpec) -> Iterator[Line]:
    limits = spec.sensitivity
    segments = "categorical columns whose values each get their own metric; []: all of them"
    yield f"segments: {format_yaml_line(list(spec.segments))}", segments
    yield f"reference: {spec.reference}", "windows are compared with: training, previous or season"
    yield f"season: {_format_span(spec.season)}", "length of a season, for reference: season"
    yield "sensitivity:", "a column drifts if its effect size and its test both say so"
    yield f"  psi: {limits.psi:g}", "population stability index; 0.1 is moderate, 0.25 large"
    outcomes = "the same for target and predictions; 0.01: 5 rows in 100 change their class"
    yield f"  outcome_psi: {limits.outcome_psi:g}", outcomes
    yield f"  p_value: {limits.p_value:g}", "largest p-value, adjusted for the number of columns"
    yield f"  correction: {limits.correction}", "or holm: stricter, no false column at all"
    auc = "AUC of a classifier that separates both windows' rows; 0.5: it cannot"
    yield f"  auc: {limits.auc:g}", auc
    yield f"  rows_compared: {limits.rows_compared}", "most rows of each window for that"
    alarms = f"{spec.false_alarms_per_year:g}"
    yield f"false_alarms_per_year: {alarms}", "at most: thresholds are calibrated for it"
    cooldown = "how long the same drift is not announced again, unless it grows"
    yield f"announcement_cooldown: {_format_span(spec.announcement_cooldown)}", cooldown


def _list_decision_lines(spec: ModelSpec) -> Iterator[Line]:
    costs = spec.costs
    tiers = "experimental, standard or critical: what is done without a person (policy.yml)"
    if spec.tier is Tier.CRITICAL:
        tiers = "a person decides: retraining here makes another kind of model than yours"
    yield f"tier: {spec.tier}", tiers
    yield f"owner: {format_yaml_line(spec.owner)}", "who is asked when a person must decide"
    yield f"metric: {spec.metric}", _METRICS[spec.metric]
    yield f"tolerance: {spec.tolerance:g}", "loss of it that is still fine; the noise of a window"
    yield f"minimum_rows: {spec.minimum_rows}", "a window with fewer rows is not judged"
    better = "a challenger must beat the champion by more than this"
    yield f"promotion_margin: {spec.promotion_margin:g}", better
    yield (
        f"gate_fraction: {spec.gate_fraction:g}",
        "share of the newest labelled window that compares both",
    )
    last = "share of it that verifies what was done"
    yield f"verification_fraction: {spec.verification_fraction:g}", last
    yield "costs:", "guesses: write your own; the policy limits what a plan may cost"
    yield f"  currency: {costs.currency}", "must be the policy's"
    yield f"  retraining: {costs.retraining}", "one retraining with its evaluation"
    yield f"  rollback: {costs.rollback}", "going back to an earlier version"
    degraded = "a day with the metric one tolerance below the reference"
    yield f"  degradation_per_day: {costs.degradation_per_day}", degraded


def _join_lines(lines: Iterable[Line]) -> str:
    """Return the lines as text, with the comments of equally deep neighbours aligned."""
    text = ""
    for _, group in groupby(lines, key=lambda line: len(line[0]) - len(line[0].lstrip())):
        together = list(group)
        longest = max(len(left) for left, _ in together)
        column = max(_MIN_COMMENT_COLUMN, min(longest, _MAX_COMMENT_COLUMN))
        text += "".join(f"{left:<{column}}  # {make_printable(note)}\n" for left, note in together)
    return text


def _shorten_number(number: float | None) -> float | int | None:
    return int(number) if number is not None and number.is_integer() else number


def _format_optional(span: timedelta | None) -> str:
    return "null" if span is None else _format_span(span)


def _format_span(span: timedelta) -> str:
    """Return the duration in days, hours, minutes and seconds: "P365D", never "P1Y"."""
    clock = timedelta(seconds=span.seconds, microseconds=span.microseconds)
    hours, rest = divmod(clock, timedelta(hours=1))
    minutes, seconds = divmod(rest, timedelta(minutes=1))
    parts = ((hours, "H"), (minutes, "M"), (seconds.total_seconds(), "S"))
    time = "".join(f"{count:.12g}{unit}" for count, unit in parts if count)
    day = f"{span.days}D" if span.days else ""
    return f"P{day}{'T' if time else ''}{time}" if day or time else "PT0S"
