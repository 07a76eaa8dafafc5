"""Lists the kinds of incidents, each with what is true about it."""

from typing import Final

from evals.injections import faults, shifts
from evals.injections.injection import ChampionOrigin, InjectionKind
from evals.truth import Due, Truth
from trimtab.contracts.deliberation import Cause
from trimtab.contracts.ports import Refused
from trimtab.contracts.remediation import Action

_IDLE: Final = (Action.MONITOR, Action.WAIT)
_FIX: Final = (Action.FIX_SOURCE,)
_LEARN: Final = (Action.RETRAIN,)
_NO_CHANGE: Final = (Action.RETRAIN, Action.ROLL_BACK)
_NO_ROLLBACK: Final = (Action.ROLL_BACK,)
_QUIET: Final = Truth(
    causes=((Cause.HARMLESS, Cause.DETECTOR_ARTEFACT),),
    actions=_IDLE,
    forbidden=_NO_ROLLBACK,
    due=Due.QUIET,
)
_HARMLESS: Final = Truth(
    causes=((Cause.HARMLESS, Cause.COVARIATE_SHIFT),),
    actions=_IDLE,
    forbidden=_NO_ROLLBACK,
    due=Due.QUIET,
)


def _fault(*causes: Cause, windows: int | None = None, idle: bool = False) -> Truth:
    """Return the truth of broken data, which nothing may learn from."""
    return Truth(
        causes=(causes,),
        actions=(*_FIX, *_IDLE) if idle else _FIX,
        forbidden=_NO_CHANGE,
        windows=windows,
    )


def _change(*causes: Cause, windows: int | None = None, idle: bool = False) -> Truth:
    """Return the truth of a changed world, which is learnt if it costs something."""
    return Truth(
        causes=(causes,),
        actions=(*_LEARN, *_IDLE) if idle else _LEARN,
        forbidden=_NO_ROLLBACK,
        due=Due.IF_HARMFUL,
        windows=windows,
    )


def list_kinds() -> tuple[InjectionKind, ...]:
    """Return every kind, in the order in which reports show them."""
    return (*_list_world_kinds(), *_list_fault_kinds(), *_list_label_kinds(), *_list_other_kinds())


def get_kind(name: str) -> InjectionKind:
    """Return the kind of that name; raise `Refused` if there is none."""
    kinds = {kind.name: kind for kind in list_kinds()}
    if name not in kinds:
        msg = f"there is no kind {name!r}: there are {', '.join(kinds)}"
        raise Refused(msg)
    return kinds[name]


def _list_world_kinds() -> list[InjectionKind]:
    kind = InjectionKind
    season = _change(Cause.SEASONALITY, windows=shifts.SEASON_WINDOWS, idle=True)
    return [
        kind(name="none", inject=shifts.change_nothing, truth=_QUIET),
        kind(name="harmless_column", inject=shifts.shift_unimportant_column, truth=_HARMLESS),
        kind(name="harmless_all", inject=shifts.shift_every_column_slightly, truth=_HARMLESS),
        kind(name="shift_inside", inject=shifts.shift_inside_support,
             truth=_change(Cause.COVARIATE_SHIFT), excluded_tables=frozenset({"parking"})),
        kind(name="shift_outside", inject=shifts.shift_outside_support,
             truth=_change(Cause.COVARIATE_SHIFT, Cause.NEW_SEGMENT)),
        kind(name="label_shift", inject=shifts.shift_labels, truth=_change(Cause.LABEL_SHIFT)),
        kind(name="concept", inject=shifts.change_concept, truth=_change(Cause.CONCEPT_DRIFT)),
        kind(name="concept_segment", inject=shifts.flip_concept_of_segment,
             truth=_change(Cause.CONCEPT_DRIFT)),
        kind(name="concept_gradual", inject=shifts.change_concept_gradually,
             truth=_change(Cause.CONCEPT_DRIFT)),
        kind(name="new_segment", inject=shifts.add_segment, truth=_change(Cause.NEW_SEGMENT)),
        kind(name="season", inject=shifts.repeat_season, truth=season),
        kind(name="red_herring", inject=shifts.change_concept_behind_red_herring,
             truth=_change(Cause.CONCEPT_DRIFT)),
    ]  # fmt: skip


def _list_fault_kinds() -> list[InjectionKind]:
    kind = InjectionKind
    units, missing = _fault(Cause.UNIT_CHANGE), _fault(Cause.MISSING_VALUES)
    stuck = _fault(Cause.STALE_DATA, Cause.MISSING_VALUES, Cause.PARTIAL_OUTAGE)
    outage = _fault(Cause.PARTIAL_OUTAGE, Cause.MISSING_VALUES, windows=1, idle=True)
    stopped = _fault(Cause.STALE_DATA, Cause.PARTIAL_OUTAGE)
    return [
        kind(name="unit", inject=faults.change_unit, truth=units),
        kind(name="unit_half", inject=faults.change_unit_of_half, truth=units),
        kind(name="unit_segment", inject=faults.change_unit_of_segment, truth=units),
        kind(name="nulls", inject=faults.drop_values,
             truth=_fault(Cause.MISSING_VALUES, Cause.SCHEMA_CHANGE)),
        kind(name="nulls_half", inject=faults.drop_values_of_half, truth=missing),
        kind(name="default_value", inject=faults.fill_default, truth=missing),
        kind(name="constant", inject=faults.make_constant,
             truth=_fault(Cause.MISSING_VALUES, Cause.STALE_DATA)),
        kind(name="stuck_rows", inject=faults.stick_sensor, truth=stuck),
        kind(name="sentinel", inject=faults.fill_sentinel, truth=missing),
        kind(name="renamed_category", inject=faults.rename_category,
             truth=_fault(Cause.SCHEMA_CHANGE)),
        kind(name="dropped_column", inject=faults.drop_column, drops_column=True,
             truth=_fault(Cause.SCHEMA_CHANGE, Cause.MISSING_VALUES)),
        kind(name="retyped_column", inject=faults.retype_column,
             truth=_fault(Cause.SCHEMA_CHANGE, Cause.MISSING_VALUES)),
        kind(name="row_collapse", inject=faults.lose_rows,
             truth=_fault(Cause.PARTIAL_OUTAGE, Cause.STALE_DATA)),
        kind(name="feed_dies", inject=faults.stop_feed, truth=stopped),
        kind(name="replayed_rows", inject=faults.replay_rows, truth=_fault(Cause.STALE_DATA)),
        kind(name="duplicates", inject=faults.duplicate_rows,
             truth=_fault(Cause.DATA_QUALITY, Cause.STALE_DATA)),
        kind(name="outage_days", inject=faults.break_days, truth=outage),
    ]  # fmt: skip


def _list_label_kinds() -> list[InjectionKind]:
    kind, broken = InjectionKind, _fault(Cause.BROKEN_LABELS)
    shuffled = _fault(Cause.BROKEN_LABELS, windows=1, idle=True)
    return [
        kind(name="shuffled_labels", inject=faults.shuffle_labels, truth=shuffled),
        kind(name="default_labels", inject=faults.default_labels, truth=broken),
        kind(name="flipped_labels", inject=faults.flip_labels, truth=broken),
        kind(name="late_labels", inject=faults.delay_labels,
             truth=_fault(Cause.BROKEN_LABELS, idle=True)),
    ]  # fmt: skip


def _list_other_kinds() -> list[InjectionKind]:
    kind = InjectionKind
    both = Truth(
        causes=((Cause.UNIT_CHANGE,), (Cause.CONCEPT_DRIFT,)), actions=_FIX, forbidden=_NO_CHANGE
    )
    return [
        kind(name="bad_release", inject=shifts.change_nothing, champion=ChampionOrigin.BAD_RELEASE,
             truth=Truth(causes=((Cause.BAD_RELEASE,),), actions=(Action.ROLL_BACK,),
                         due=Due.IF_HARMFUL)),
        kind(name="no_skill", inject=faults.ruin_reference_labels, onset=0, changes_reference=True,
             champion=ChampionOrigin.UNSKILLED,
             truth=Truth(causes=((Cause.NO_SKILL,),), actions=_LEARN, forbidden=_NO_ROLLBACK)),
        kind(name="tiny_windows", inject=shifts.shrink_windows, changes_reference=True,
             settings={"minimum_rows": 30}, truth=_QUIET,
             excluded_tables=frozenset({"credit", "fraud"})),
        kind(name="unit_and_concept", inject=faults.change_unit_and_concept, truth=both),
    ]  # fmt: skip
