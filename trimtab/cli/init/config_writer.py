"""Writes a proposed configuration as YAML that explains itself: a comment on every line."""

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import yaml

from trimtab.contracts.model import Feature, ModelSpec, Task, Tier
from trimtab.detection.onboarding.feature_proposal import ColumnProposal
from trimtab.detection.onboarding.proposal import Proposal

_COMMENT_AT = 34
_COMMENT_AT_MOST = 60
_LONGEST = 160
_METRICS: Final = {
    "r2": "share of the variance that is explained; 1 is perfect",
    "roc_auc": "chance that it ranks a random case of one class above one of the other",
    "balanced_accuracy": "mean share of each class that is told rightly",
}

Line = tuple[str, str]
"""YAML, and what it means."""


def model_text(proposal: Proposal, *, source: Path, catalog: Path) -> str:
    """Content of `conf/local/models/NAME.yml`."""
    head = (
        f"# How Trimtab watches {proposal.spec.name}: written by `trimtab init`, yours to change.\n"
        f"# From {printable(source)}, {proposal.rows:,} rows. Checked by `trimtab doctor`.\n"
        "# Spans are ISO 8601: P7D is seven days, PT6H six hours, PT0S none.\n\n"
    )
    return head + _join(_model_lines(proposal, catalog))


def catalog_text(spec: ModelSpec, *, source: Path, model: Path, renamed: Mapping[str, str]) -> str:
    """Content of `conf/local/catalog_NAME.yml`."""
    filepath = str(source).replace("${", "\\${")
    lines: list[Line] = [
        (f"{_yaml(spec.dataset)}:", f"named by `dataset` in {model}"),
        ("  type: trimtab.adapters.datasets.history.HistoryDataset", "CSV, gzipped CSV or Parquet"),
        (f"  filepath: {_yaml(filepath)}", "absolute: right from every folder"),
    ]
    if renamed:
        signs = "names that hold more than letters, digits, _ . : / - and spaces"
        lines.append(("  renamed:", signs))
    for name, new in renamed.items():
        lines.append((f"    {_yaml(name)}: {_yaml(new)}", "as it is called here"))
    head = (
        f"# Where the history of {spec.name} is; conf/base/catalog.yml tells what else may be.\n\n"
    )
    return head + _join(lines)


def printable(text: object) -> str:
    """Words from a table, made fit for a comment and for a terminal: one line, no control signs."""
    signs = "".join(sign if sign.isprintable() else " " for sign in str(text))
    return " ".join(signs.split())[:_LONGEST]


def _model_lines(proposal: Proposal, catalog: Path) -> Iterator[Line]:
    spec = proposal.spec
    seen = proposal.signature
    yield (
        f"name: {_yaml(spec.name)}",
        f"in MLflow{f', looked at version {seen.version}' if seen else ''}",
    )
    yield f"task: {spec.task}", proposal.target.reason
    yield f"dataset: {_yaml(spec.dataset)}", f"entry in {catalog}"
    yield f"target: {_yaml(spec.target)}", proposal.target.summary
    if spec.task is Task.REGRESSION:
        yield f"target_minimum: {_yaml(_short(spec.target_minimum))}", _bound_note(spec)
    yield f"prediction: {_yaml(spec.prediction)}", _prediction_note(proposal)
    yield f"timestamp: {_yaml(spec.timestamp)}", f"time of each row; {proposal.timestamp_format}"
    yield "features:", "what the model sees; minimum and maximum: what makes sense"
    held = {column.name: column.summary for column in proposal.columns}
    for feature in spec.features:
        yield f"  - {_feature(feature)}", held[feature.name]
    yield f"time_features: {_yaml(list(spec.time_features))}", "derived from the timestamp"
    yield from _ignored_lines([column for column in proposal.columns if column.reason])
    yield from _window_lines(proposal)
    yield from _watch_lines(spec)
    together = "rows this close resemble each other: P1D a day's; PT0S none; null: learnt"
    yield f"dependence: {_stated(spec.dependence)}", together
    if seen:
        risk = "true runs code that the model brings, to ask it: docs/operations.md"
        yield f"trust_pickle: {_yaml(spec.trust_pickle)}", risk
    yield from _duty_lines(spec)


def _prediction_note(proposal: Proposal) -> str:
    if proposal.prediction is None:
        return "column with what was predicted; null: the model is asked again"
    return f"what was predicted; {proposal.prediction.summary}"


def _bound_note(spec: ModelSpec) -> str:
    if spec.target_minimum is None:
        return "no bound: smallest target that makes sense"
    return "almost never below: rows below are dirty, not learnt from"


def _feature(feature: Feature) -> str:
    given = {"name": feature.name, "kind": feature.kind.value}
    limits = {"minimum": _short(feature.minimum), "maximum": _short(feature.maximum)}
    return _yaml({**given, **{key: value for key, value in limits.items() if value is not None}})


def _ignored_lines(left_out: list[ColumnProposal]) -> Iterator[Line]:
    yield ("ignored:" if left_out else "ignored: {}"), "columns left out, each with the reason"
    for column in left_out:
        yield f"  {_yaml(column.name)}: {_yaml(column.reason)}", column.summary


def _window_lines(proposal: Proposal) -> Iterator[Line]:
    spec, counts = proposal.spec, proposal.counts
    usual = sorted(counts)[len(counts) // 2]
    replayed = len(counts) - spec.reference_windows
    if spec.start:
        dated = f"; dated by {proposal.period}: dates lie near the ends of windows"
        note = f"where the first window begins{dated if proposal.period else ''}"
        yield f"start: {spec.start.isoformat()}", note
    else:
        yield "start: null", "midnight of the first row's day"
    yield f"window: {_span(spec.window)}", f"{len(counts)} windows of about {usual:,} rows each"
    often = "how often a window that ends then is looked at; null: when each window ends"
    yield f"monitored_every: {_stated(spec.monitored_every)}", often
    learnt = f"the first champion learns from these; {replayed} are left to replay"
    yield f"reference_windows: {spec.reference_windows}", learnt
    delay = "how long after a row its true target is known, such as P30D; none: at once"
    yield f"label_delay: {_span(spec.label_delay)}", delay


def _watch_lines(spec: ModelSpec) -> Iterator[Line]:
    felt = spec.sensitivity
    alike = "categorical columns whose parts have a metric each; [] for all of them"
    yield f"segments: {_yaml(list(spec.segments))}", alike
    yield f"reference: {spec.reference}", "a window is compared with: training, previous or season"
    yield f"season: {_span(spec.season)}", "how long until things recur, for reference: season"
    yield "sensitivity:", "a column drifts where it moved this far and its test agrees"
    yield f"  psi: {felt.psi:g}", "how far, in population stability; 0.1 is moderate, 0.25 large"
    outcomes = "the same of target and predictions; 0.01: five rows in a hundred change class"
    yield f"  outcome_psi: {felt.outcome_psi:g}", outcomes
    yield f"  p_value: {felt.p_value:g}", "largest p-value, adjusted for the number of columns"
    yield f"  correction: {felt.correction}", "or holm: stricter, no false column at all"
    yield f"  auc: {felt.auc:g}", "how well rows of both may be told apart; 0.5: not at all"
    yield f"  rows_compared: {felt.rows_compared}", "most rows of each side for that"
    wanted = f"{spec.false_alarms_per_year:g}"
    yield f"false_alarms_per_year: {wanted}", "wanted at most: thresholds are calibrated for it"
    again = "how long the same drift is not announced again, unless it grows"
    yield f"announcement_cooldown: {_span(spec.announcement_cooldown)}", again


def _duty_lines(spec: ModelSpec) -> Iterator[Line]:
    costs = spec.costs
    tiers = "experimental, standard or critical: what may be done alone (policy.yml)"
    if spec.tier is Tier.CRITICAL:
        tiers = "a person decides: a retraining here makes another kind of model than yours"
    better = "a challenger must beat the champion by more than this"
    yield f"tier: {spec.tier}", tiers
    yield f"owner: {_yaml(spec.owner)}", "who is asked when a person must decide"
    yield f"metric: {spec.metric}", _METRICS[spec.metric]
    yield f"tolerance: {spec.tolerance:g}", "loss of it that is still fine; a window's own noise"
    yield f"minimum_rows: {spec.minimum_rows}", "fewer rows in a window are not enough to judge by"
    yield f"promotion_margin: {spec.promotion_margin:g}", better
    yield f"gate_fraction: {spec.gate_fraction:g}", "of the newest window: compares the two"
    yield f"verification_fraction: {spec.verification_fraction:g}", "its last part: verifies"
    yield "costs:", "guesses: put your own; the policy limits what a plan may cost"
    yield f"  currency: {costs.currency}", "must be the policy's"
    yield f"  retraining: {costs.retraining}", "one retraining with its evaluation"
    yield f"  rollback: {costs.rollback}", "going back to an earlier version"
    degraded = "a day with the metric one tolerance below the reference"
    yield f"  degradation_per_day: {costs.degradation_per_day}", degraded


def _join(lines: Iterable[Line]) -> str:
    """The lines, with the comments of neighbours of the same depth below each other."""
    text = ""
    for _, group in groupby(lines, key=lambda line: len(line[0]) - len(line[0].lstrip())):
        together = list(group)
        longest = max(len(left) for left, _ in together)
        at = max(_COMMENT_AT, min(longest, _COMMENT_AT_MOST))
        text += "".join(f"{left:<{at}}  # {printable(note)}\n" for left, note in together)
    return text


def _yaml(value: Any) -> str:  # noqa: ANN401 - whatever YAML can hold
    """One line of YAML that every version of it reads alike."""
    if isinstance(value, str) and not value.isprintable():
        return json.dumps(value)
    flow = yaml.safe_dump([value], default_flow_style=True, width=10**6, allow_unicode=True,
                          sort_keys=False)  # fmt: skip
    return flow.strip()[1:-1]


def _short(number: float | None) -> float | int | None:
    return int(number) if number is not None and number.is_integer() else number


def _stated(span: timedelta | None) -> str:
    return "null" if span is None else _span(span)


def _span(span: timedelta) -> str:
    """Days are days here: "P365D", never "P1Y"."""
    clock = timedelta(seconds=span.seconds, microseconds=span.microseconds)
    hours, rest = divmod(clock, timedelta(hours=1))
    minutes, seconds = divmod(rest, timedelta(minutes=1))
    parts = ((hours, "H"), (minutes, "M"), (seconds.total_seconds(), "S"))
    time = "".join(f"{count:.12g}{unit}" for count, unit in parts if count)
    day = f"{span.days}D" if span.days else ""
    return f"P{day}{'T' if time else ''}{time}" if day or time else "PT0S"
