"""Judges a kept finding again, by today's rules."""

from functools import cache
from typing import NamedTuple

from evals.play.incident_record import ResponseRecord, WindowRecord
from evals.tables.catalogue import get_table
from policies.assurance import AssurancePart, measure_assurance
from policies.judgement.figures import collect_figures
from policies.second_opinion import SecondOpinion, judge_figures
from trimtab.contracts.drift import DriftFinding
from trimtab.contracts.evidence import EvidencePack
from trimtab.contracts.model import ModelSpec


class SecondJudgement(NamedTuple):
    """What the rules conclude from a kept finding, and how sure that is."""

    opinion: SecondOpinion
    parts: tuple[AssurancePart, ...]


def judge_again(window: WindowRecord, answer: ResponseRecord, spec: ModelSpec) -> SecondJudgement:
    """Return the rules' conclusion on a window that had an event."""
    finding = DriftFinding.model_validate(window.finding)
    kept = answer.evidence if isinstance(answer.evidence, dict) else {}
    pack = EvidencePack.model_validate({"items": (), "collected_at": finding.current.end, **kept})
    figures = collect_figures(finding, spec, pack)
    opinion = judge_figures(figures)
    return SecondJudgement(
        opinion, measure_assurance(opinion, figures, cause=opinion.cause, action=opinion.action)
    )


@cache
def read_spec(table: str) -> ModelSpec:
    """Return the configuration of a table's model."""
    return get_table(table).spec
