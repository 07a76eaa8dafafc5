"""Reads the figures that the rules judge by from a brief."""

from agents.brief import Brief, EvidenceBrief
from policies.judgement.figures import (
    ColumnMove,
    DataFault,
    Figures,
    KnownCase,
    Prices,
    ScoredVersion,
)


def read_figures(brief: Brief) -> Figures:
    """Return the figures in a brief; they are rounded, and only of the columns that it lists."""
    finding = brief.finding
    return Figures(
        tolerance=brief.model.tolerance,
        champion=brief.model.champion,
        moves=tuple(ColumnMove(each.role, each.psi, each.drifted) for each in finding.moved),
        faults=tuple(
            DataFault(each.kind, each.fraction, each.corrupt, each.column, each.gravity)
            for each in finding.faults
        ),
        performance=finding.performance,
        estimate=finding.estimate,
        concept_loss=finding.concept_loss,
        classifier_low=finding.told_apart,
        history_days=finding.history_days,
        versions=tuple(
            ScoredVersion(item.version, item.value)
            for item in brief.evidence
            if item.version is not None and item.value is not None
        ),
        targets=brief.model.rollback_targets,
        cases=tuple(
            KnownCase(
                each.similarity,
                each.cause,
                each.succeeded,
                each.action,
                each.kind,
                observed=each.origin != "example",
            )
            for each in brief.documents
        ),
        target=brief.model.target,
        signals=finding.signals,
        costs=Prices(
            brief.model.retraining_cost,
            brief.model.rollback_cost,
            brief.model.degradation_cost_per_day,
        ),
    )


def find_item(brief: Brief, item_id: str) -> EvidenceBrief | None:
    """Return the evidence item with that id, or None."""
    return next((item for item in brief.evidence if item.id == item_id), None)
