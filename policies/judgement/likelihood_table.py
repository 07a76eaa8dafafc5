"""How probable each signal is under each cause: the knowledge of the rules, as data.

A row says how often a signal is seen under some causes, how often under all others, and why. The
figures are judgements, held against labelled incidents by `evals`; they are not copied from them,
so that a cause is not rated by the tables that happened to be tried.
"""

from typing import Final, NamedTuple

from policies.judgement.signals import Signal
from trimtab.contracts.deliberation import DATA_CAUSES, Cause


class Row(NamedTuple):
    """One signal and what it says."""

    signal: Signal
    expected: dict[Cause, float]
    """Probability of the signal under a cause, above 0 and below 1."""
    otherwise: float
    """Probability of the signal under every other cause."""
    reason: str


_BROKEN_INPUTS: Final = tuple(
    cause for cause in Cause if cause in DATA_CAUSES and cause is not Cause.BROKEN_LABELS
)
"""In one order: sums of figures depend on it in their last digit."""
_BROKEN: Final[dict[Cause, float]] = dict.fromkeys(_BROKEN_INPUTS, 0.6)
"""Broken inputs cost something or nothing, by the column."""
_UNLEARNT: Final[dict[Cause, float]] = dict.fromkeys(_BROKEN_INPUTS, 0.3)
"""From broken inputs less is learnt."""

PRIOR: Final[dict[Cause, float]] = {
    Cause.HARMLESS: 0.23,
    Cause.CONCEPT_DRIFT: 0.12,
    Cause.COVARIATE_SHIFT: 0.12,
    Cause.LABEL_SHIFT: 0.1,
    Cause.NEW_SEGMENT: 0.03,
    Cause.SEASONALITY: 0.06,
    Cause.BAD_RELEASE: 0.04,
    Cause.UNIT_CHANGE: 0.05,
    Cause.MISSING_VALUES: 0.06,
    Cause.SCHEMA_CHANGE: 0.05,
    Cause.STALE_DATA: 0.04,
    Cause.PARTIAL_OUTAGE: 0.04,
    Cause.BROKEN_LABELS: 0.04,
    Cause.DATA_QUALITY: 0.02,
    Cause.NO_SKILL: 0.03,
    Cause.DETECTOR_ARTEFACT: 0.01,
    Cause.UNKNOWN: 0.05,
}
"""How common each cause is before anything is measured."""

TABLE: Final[tuple[Row, ...]] = (
    Row(
        Signal.WORSE,
        {
            **_BROKEN,
            Cause.BROKEN_LABELS: 0.95,
            Cause.CONCEPT_DRIFT: 0.97,
            Cause.BAD_RELEASE: 0.97,
            Cause.COVARIATE_SHIFT: 0.9,
            Cause.NEW_SEGMENT: 0.85,
            Cause.LABEL_SHIFT: 0.93,
            Cause.SEASONALITY: 0.85,
            Cause.NO_SKILL: 0.4,
            Cause.UNKNOWN: 0.4,
            Cause.DETECTOR_ARTEFACT: 0.25,
        },
        0.03,
        "a loss is what the causes of a loss are named for; harmless drift has none",
    ),
    Row(
        Signal.BETTER,
        {Cause.STALE_DATA: 0.2, Cause.LABEL_SHIFT: 0.1, Cause.SEASONALITY: 0.1,
         Cause.HARMLESS: 0.1},
        0.03,
        "a metric that rises beyond chance is easy rows, or rows that were seen before",
    ),
    Row(
        Signal.UNLABELLED,
        {Cause.UNKNOWN: 0.95, Cause.DETECTOR_ARTEFACT: 0.4, Cause.STALE_DATA: 0.2,
         Cause.PARTIAL_OUTAGE: 0.2},
        0.08,
        "without labels the cause of a loss cannot be seen, and feeds that stop bring none",
    ),
    Row(
        Signal.INPUTS_MOVED,
        {
            **_BROKEN,
            Cause.COVARIATE_SHIFT: 0.95,
            Cause.SEASONALITY: 0.9,
            Cause.NEW_SEGMENT: 0.8,
            Cause.LABEL_SHIFT: 0.5,
            Cause.HARMLESS: 0.6,
            Cause.DETECTOR_ARTEFACT: 0.6,
            Cause.UNKNOWN: 0.6,
            Cause.CONCEPT_DRIFT: 0.25,
        },
        0.15,
        "a shift of the inputs is one; a changed meaning or a bad release leaves them as they are",
    ),
    Row(
        Signal.TARGET_MOVED,
        {
            Cause.LABEL_SHIFT: 0.95,
            Cause.SEASONALITY: 0.5,
            Cause.CONCEPT_DRIFT: 0.35,
            Cause.NEW_SEGMENT: 0.35,
            Cause.COVARIATE_SHIFT: 0.4,
            Cause.BROKEN_LABELS: 0.35,
            Cause.HARMLESS: 0.4,
            Cause.UNKNOWN: 0.7,
        },
        0.12,
        "a shift of the target is one; inputs that move take the target with them",
    ),
    Row(
        Signal.PREDICTIONS_MOVED,
        {
            **_BROKEN,
            Cause.COVARIATE_SHIFT: 0.85,
            Cause.LABEL_SHIFT: 0.75,
            Cause.SEASONALITY: 0.6,
            Cause.NEW_SEGMENT: 0.5,
            Cause.BAD_RELEASE: 0.5,
            Cause.UNKNOWN: 0.5,
            Cause.HARMLESS: 0.35,
            Cause.CONCEPT_DRIFT: 0.15,
        },
        0.12,
        "answers follow inputs; where only the target moved, its relation to them changed",
    ),
    Row(
        Signal.UNEXPLAINED,
        {
            **_BROKEN,
            Cause.BROKEN_LABELS: 0.92,
            Cause.CONCEPT_DRIFT: 0.9,
            Cause.BAD_RELEASE: 0.85,
            Cause.NEW_SEGMENT: 0.4,
            Cause.LABEL_SHIFT: 0.6,
            Cause.SEASONALITY: 0.45,
            Cause.COVARIATE_SHIFT: 0.1,
        },
        0.5,
        "covariate shift costs what the inputs let expect; a changed meaning costs more",
    ),
    Row(
        Signal.INSIDE_WORSE,
        {
            **_BROKEN,
            Cause.BROKEN_LABELS: 0.95,
            Cause.CONCEPT_DRIFT: 0.95,
            Cause.BAD_RELEASE: 0.9,
            Cause.COVARIATE_SHIFT: 0.5,
            Cause.NEW_SEGMENT: 0.12,
            Cause.LABEL_SHIFT: 0.7,
        },
        0.5,
        "a new region or segment leaves the rows alone that the champion knows",
    ),
    Row(
        Signal.OUTSIDE,
        {Cause.NEW_SEGMENT: 0.8, Cause.COVARIATE_SHIFT: 0.6, Cause.SEASONALITY: 0.4, **_BROKEN,
         Cause.CONCEPT_DRIFT: 0.05},
        0.1,
        "a loss on rows unlike the training's is what a shift out of its region costs",
    ),
    Row(
        Signal.NEW_ROWS,
        {Cause.NEW_SEGMENT: 0.92, Cause.SCHEMA_CHANGE: 0.3, Cause.COVARIATE_SHIFT: 0.1},
        0.03,
        "a new category beside the known ones is a new segment; in their place it is a new name",
    ),
    Row(
        Signal.UNLEARNABLE,
        {Cause.BROKEN_LABELS: 0.9, Cause.NO_SKILL: 0.4, **_UNLEARNT,
         Cause.LABEL_SHIFT: 0.12, Cause.CONCEPT_DRIFT: 0.05, Cause.COVARIATE_SHIFT: 0.08},
        0.08,
        "a changed world can be learnt from its own rows, broken labels cannot",
    ),
    Row(
        Signal.RELEASED,
        {Cause.BAD_RELEASE: 0.95},
        0.02,
        "a release explains a loss that the version before it does not have",
    ),
    Row(
        Signal.SHORT_HISTORY,
        {Cause.SEASONALITY: 0.9},
        0.5,
        "who has seen a whole year has seen what recurs",
    ),
    Row(
        Signal.SEASON,
        {Cause.SEASONALITY: 0.85, Cause.STALE_DATA: 0.15},
        0.05,
        "what was so a season ago, and is so again, recurs",
    ),
    Row(
        Signal.UNSKILLED,
        {Cause.NO_SKILL: 0.97},
        0.02,
        "who was no better than a guess has nothing to lose",
    ),
    Row(Signal.UNIT, {Cause.UNIT_CHANGE: 0.97}, 0.006, "values fit a change of unit"),
    Row(
        Signal.MISSING,
        {Cause.MISSING_VALUES: 0.97, Cause.PARTIAL_OUTAGE: 0.35, Cause.SCHEMA_CHANGE: 0.1},
        0.01,
        "values are missing, or one stands for many",
    ),
    Row(
        Signal.SCHEMA,
        {Cause.SCHEMA_CHANGE: 0.97, Cause.MISSING_VALUES: 0.1},
        0.006,
        "a column, its type or its names are not as agreed",
    ),
    Row(
        Signal.STALE,
        {Cause.STALE_DATA: 0.97, Cause.PARTIAL_OUTAGE: 0.2},
        0.01,
        "rows or values are those of before, or do not come",
    ),
    Row(
        Signal.OUTAGE,
        {Cause.PARTIAL_OUTAGE: 0.96, Cause.STALE_DATA: 0.3, Cause.DETECTOR_ARTEFACT: 0.1},
        0.01,
        "rows are missing or broken on some days, and the others are as usual",
    ),
    Row(
        Signal.LABELS,
        {Cause.BROKEN_LABELS: 0.6},
        0.006,
        "the target itself has a fault",
    ),
    Row(
        Signal.IMPOSSIBLE,
        {Cause.DATA_QUALITY: 0.8, Cause.MISSING_VALUES: 0.35, Cause.UNIT_CHANGE: 0.35,
         Cause.COVARIATE_SHIFT: 0.08},
        0.03,
        "values that cannot be are a fault: a code, another unit, or a broken source",
    ),
)  # fmt: skip
