"""Played incidents with good defaults."""

from typing import Any

from evals.play.incident_record import (
    OracleRecord,
    PlayedIncident,
    ResponseRecord,
    WindowRecord,
)
from evals.truth import Adjudication, Due, IncidentId, Truth
from trimtab.contracts.decision import Verdict
from trimtab.contracts.deliberation import Cause
from trimtab.contracts.incident import Ending
from trimtab.contracts.remediation import Action


def a_truth(**changes: Any) -> Truth:
    fields: dict[str, Any] = {
        "causes": ((Cause.CONCEPT_DRIFT,),),
        "actions": (Action.RETRAIN,),
        "forbidden": (Action.ROLL_BACK,),
        "due": Due.DUE,
        "onset": 2,
    }
    return Truth(**{**fields, **changes})


def a_response(**changes: Any) -> ResponseRecord:
    fields: dict[str, Any] = {
        "cause": Cause.CONCEPT_DRIFT,
        "likelihoods": {Cause.CONCEPT_DRIFT: 0.9, Cause.HARMLESS: 0.1},
        "action": Action.RETRAIN,
        "confidence": 0.9,
        "verdict": Verdict.EXECUTE,
        "rule": "all_rules",
        "ending": Ending.REMEDIATED,
        "promoted": True,
        "kept": True,
    }
    return ResponseRecord(**{**fields, **changes})


def a_window(index: int, **changes: Any) -> WindowRecord:
    fields: dict[str, Any] = {
        "index": index,
        "rows": 500,
        "served_version": "1",
        "served": 0.9,
        "untouched": 0.9,
        "observed": 0.9,
    }
    return WindowRecord(**{**fields, **changes})


def a_played(*, events: dict[int, ResponseRecord] | None = None, **changes: Any) -> PlayedIncident:
    answered = events or {}
    windows = tuple(
        a_window(index, event=index in answered, response=answered.get(index)) for index in range(7)
    )
    metrics = tuple([0.9] * 7)
    fields: dict[str, Any] = {
        "id": IncidentId(table="demand", kind="concept", strength=2, seed=0),
        "code": "c",
        "analyst": "analyst/rules",
        "tolerance": 0.03,
        "metric": "r2",
        "adjudication": Adjudication(truth=a_truth(), loss=0.2, gain=0.1),
        "windows": windows,
        "oracle": OracleRecord(
            window=2,
            actions={"keep": 0.9, "retrain": 0.95, "roll_back": None},
            policies=dict.fromkeys(("never", "always", "threshold", "cusum"), metrics),
        ),
        "seconds": 1.0,
    }
    return PlayedIncident(**{**fields, **changes})
