"""The shapes of the records that workflow histories, audit logs and registries hold.

`python -m tests.contracts.histories` writes them to `histories.json`, unless a change would make
what is stored unreadable. It cannot tell a wider pattern from a narrower one: edit that line of the
file by hand.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from trimtab.contracts import (
    approval,
    approvers,
    audit,
    blackout_calendar,
    budget,
    calibration,
    decision,
    deliberation,
    drift,
    evidence,
    freeze,
    incident,
    model,
    monitoring,
    notice,
    remediation,
    settlement,
    window_signals,
)

Shape = dict[str, Any]

SNAPSHOT: Final = Path(__file__).with_name("histories.json")
STORED: Final[dict[str, type[BaseModel]]] = {
    "approval/Answer": approval.Answer,
    "approval/ApprovalRequest": approval.ApprovalRequest,
    "approval/DecisionReceipt": approval.DecisionReceipt,
    "approval/HumanDecision": approval.HumanDecision,
    "approval/TemporalCommand": approval.TemporalCommand,
    "approvers/ApprovalTerms": approvers.ApprovalTerms,
    "approvers/Approver": approvers.Approver,
    "audit/AuditAppend": audit.AuditAppend,
    "audit/AuditEntry": audit.AuditEntry,
    "audit/AuditLine": audit.AuditLine,
    "audit/ChainEnd": audit.ChainEnd,
    "audit/RecordedTip": audit.RecordedTip,
    "audit/TipSearch": audit.TipSearch,
    "blackout_calendar/BlackoutCalendar": blackout_calendar.BlackoutCalendar,
    "blackout_calendar/HolidayCalendar": blackout_calendar.HolidayCalendar,
    "budget/Breaker": budget.Breaker,
    "budget/Budget": budget.Budget,
    "budget/Budgets": budget.Budgets,
    "budget/LedgerFacts": budget.LedgerFacts,
    "budget/Reservation": budget.Reservation,
    "budget/Spending": budget.Spending,
    "budget/ModelUsage": budget.ModelUsage,
    "budget/UsageQuery": budget.UsageQuery,
    "calibration/ConfidenceCalibration": calibration.ConfidenceCalibration,
    "decision/Blackout": decision.Blackout,
    "decision/Confidence": decision.Confidence,
    "decision/ConfidencePart": decision.ConfidencePart,
    "decision/Contradiction": decision.Contradiction,
    "decision/Decision": decision.Decision,
    "decision/Facts": decision.Facts,
    "decision/Limits": decision.Limits,
    "decision/PolicyQuestion": decision.PolicyQuestion,
    "decision/RuleResult": decision.RuleResult,
    "deliberation/Deliberation": deliberation.Deliberation,
    "deliberation/DeliberationInput": deliberation.DeliberationInput,
    "deliberation/PlanOption": deliberation.PlanOption,
    "deliberation/RemediationPlan": deliberation.RemediationPlan,
    "deliberation/Review": deliberation.Review,
    "deliberation/RootCause": deliberation.RootCause,
    "deliberation/Triage": deliberation.Triage,
    "deliberation/Usage": deliberation.Usage,
    "drift/DriftEvent": drift.DriftEvent,
    "drift/DriftFinding": drift.DriftFinding,
    "drift/FeatureDrift": drift.FeatureDrift,
    "drift/Learnability": window_signals.Learnability,
    "drift/MultivariateDrift": drift.MultivariateDrift,
    "drift/PerformanceChange": drift.PerformanceChange,
    "drift/PerformanceEstimate": drift.PerformanceEstimate,
    "drift/QualityFault": drift.QualityFault,
    "drift/SeasonalMatch": window_signals.SeasonalMatch,
    "drift/ShadowChallenger": window_signals.ShadowChallenger,
    "drift/SupportSplit": window_signals.SupportSplit,
    "drift/Window": drift.Window,
    "drift/WindowSignals": window_signals.WindowSignals,
    "evidence/ChallengerPreview": evidence.ChallengerPreview,
    "evidence/Citation": evidence.Citation,
    "evidence/Document": evidence.Document,
    "evidence/EvidenceItem": evidence.EvidenceItem,
    "evidence/EvidencePack": evidence.EvidencePack,
    "evidence/MeasuredVersions": evidence.MeasuredVersions,
    "evidence/Measurement": evidence.Measurement,
    "evidence/PreviewOrder": evidence.PreviewOrder,
    "evidence/Recall": evidence.Recall,
    "evidence/RecalledDocuments": evidence.RecalledDocuments,
    "evidence/RegistryFacts": evidence.RegistryFacts,
    "freeze/Freeze": freeze.Freeze,
    "incident/IncidentInput": incident.IncidentInput,
    "incident/IncidentReport": incident.IncidentReport,
    "incident/IncidentView": incident.IncidentView,
    "model/Costs": model.Costs,
    "model/Feature": model.Feature,
    "model/ModelSpec": model.ModelSpec,
    "model/ModelVersion": model.ModelVersion,
    "model/PairedComparison": model.PairedComparison,
    "model/Sensitivity": model.Sensitivity,
    "model/UnscorableVersion": model.UnscorableVersion,
    "model/VersionMetric": model.VersionMetric,
    "monitoring/MonitoringInput": monitoring.MonitoringInput,
    "monitoring/MonitoringReport": monitoring.MonitoringReport,
    "monitoring/WindowAnswer": monitoring.WindowAnswer,
    "monitoring/WindowOrder": monitoring.WindowOrder,
    "notice/Notice": notice.Notice,
    "notice/NoticeDelivery": notice.NoticeDelivery,
    "notice/NoticeTarget": notice.NoticeTarget,
    "notice/PageMark": notice.PageMark,
    "remediation/ActionOrder": remediation.ActionOrder,
    "remediation/Effect": remediation.RegistryEffect,
    "remediation/Outcome": remediation.Outcome,
    "remediation/RemediationInput": remediation.RemediationInput,
    "remediation/Verification": remediation.Verification,
    "settlement/AbandonedIncident": settlement.AbandonedIncident,
    "settlement/Settlement": settlement.Settlement,
    "settlement/SweepReport": settlement.SweepReport,
}
"""Records by a name that the snapshot keeps, whatever their classes are called."""

_UNIMPORTANT = {"title", "description", "default"}
_UPPER = ("maxLength", "maxItems", "maximum", "exclusiveMaximum")
_LOWER = ("minLength", "minItems", "minimum", "exclusiveMinimum")
_EXACT = ("type", "format", "const", "record")
_NESTED = ("items", "additionalProperties", "propertyNames")


def shape_of(record: type[BaseModel]) -> dict[str, Shape]:
    """Return each field's type, bounds and whether it has to be there."""
    schema = record.model_json_schema()
    definitions = schema.get("$defs", {})
    return {
        name: {**_inline(field, definitions), "required": name in schema.get("required", [])}
        for name, field in schema["properties"].items()
    }


def current_shapes() -> dict[str, dict[str, Shape]]:
    return {name: shape_of(record) for name, record in STORED.items()}


def committed_shapes() -> dict[str, dict[str, Shape]]:
    shapes: dict[str, dict[str, Shape]] = json.loads(SNAPSHOT.read_text(encoding="utf-8"))
    return shapes


def breaches(old: dict[str, dict[str, Shape]], new: dict[str, dict[str, Shape]]) -> Iterator[str]:
    """Yield what of the stored data the new records could not read."""
    for record, fields in old.items():
        for name, before in fields.items():
            after = new.get(record, {}).get(name)
            if after is None:
                yield f"{record}.{name} is gone: keep the field, or the record's name"
            elif after["required"] and not before["required"]:
                yield f"{record}.{name} has to be there now: give it a default"
            elif not accepts(before, after):
                yield f"{record}.{name} was {before} and is {after}: keep its type, widen bounds"
    for record, fields in new.items():
        for name in set(fields) - set(old.get(record, {})) if record in old else ():
            if fields[name]["required"]:
                yield f"{record}.{name} is new and has no default"


def accepts(old: Shape, new: Shape) -> bool:
    """Return whether every value of the old shape is one of the new shape."""
    if "anyOf" in old:
        return all(accepts(each, new) for each in old["anyOf"])
    if "anyOf" in new:
        return any(accepts(old, each) for each in new["anyOf"])
    choices = old.get("enum", [])
    before, after = old.get("prefixItems", []), new.get("prefixItems", [])
    return all(
        (
            all(old.get(key) == new.get(key) for key in _EXACT),
            len(before) == len(after),
            all(map(accepts, before, after)),
            new.get("pattern") in (None, old.get("pattern")),
            set(choices) <= set(new.get("enum") or choices),
            all(key not in new or (key in old and new[key] >= old[key]) for key in _UPPER),
            all(key not in new or (key in old and new[key] <= old[key]) for key in _LOWER),
            all(
                accepts(old[key], new.get(key, {}))
                for key in _NESTED
                if isinstance(old.get(key), dict)
            ),
        )
    )


def _inline(schema: Shape, definitions: dict[str, Shape]) -> Shape:
    """Return the schema with names for records, and without words for people."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        definition = definitions[name]
        if "properties" not in definition:
            return _inline(definition, definitions)
        known = {record.__name__: alias for alias, record in STORED.items()}
        return {"record": known[name]}
    shape: Shape = {}
    for key, value in schema.items():
        if key in _UNIMPORTANT:
            continue
        if key in {"anyOf", "prefixItems"}:
            shape[key] = [_inline(each, definitions) for each in value]
        elif isinstance(value, dict):
            shape[key] = _inline(value, definitions)
        else:
            shape[key] = value
    return shape


def main() -> None:
    """Write the snapshot anew."""
    new = current_shapes()
    if SNAPSHOT.exists() and (faults := list(breaches(committed_shapes(), new))):
        sys.exit("\n".join(faults))
    lines = [
        f'  "{record}": {{\n'
        + ",\n".join(
            f'    "{name}": {json.dumps(shape, sort_keys=True)}' for name, shape in fields.items()
        )
        + "\n  }"
        for record, fields in new.items()
    ]
    SNAPSHOT.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
