"""Runs `trimtab policy whatif`: decides recorded plans again under another policy."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer
from rich.console import Console

from policies.decision import decide
from trimtab.cli.audit.audit_verification import get_log_folder, read_log_key
from trimtab.cli.console import print_unbroken, print_wrapped
from trimtab.cli.errors import ExitCode
from trimtab.cli.policy.recorded_decisions import list_decisions
from trimtab.contracts.decision import Decision
from trimtab.runtime.models import compute_policy_hash, load_limits
from trimtab.runtime.settings import load_settings


@dataclass(frozen=True)
class RevisedDecision:
    """A recorded decision, and what another policy would have decided."""

    incident: str
    model: str
    recorded: Decision
    revised: Decision

    @property
    def changed(self) -> bool:
        """Whether the other policy comes to another verdict, or to the same by another rule."""
        return (self.recorded.verdict, self.recorded.rule) != (
            self.revised.verdict,
            self.revised.rule,
        )


def run_whatif(policy: Path, *, model: str | None, as_json: bool, home: Path | None) -> ExitCode:
    """Print what would change; raise `BadConfigurationError` with every fault of the policy."""
    limits = load_limits(policy)
    settings = load_settings(**({} if home is None else {"home": home}))
    folder = get_log_folder(settings)
    revised: list[RevisedDecision] = []
    unknown = 0
    recorded = list_decisions(folder, key=read_log_key(settings)) if folder.exists() else ()
    for found in recorded:
        if model is not None and found.model != model:
            continue
        question = found.build_question(limits)
        if question is None:
            unknown += 1
            continue
        revised.append(
            RevisedDecision(found.incident, found.model, found.decision, decide(question))
        )
    if as_json:
        typer.echo(_to_json(revised, unknown=unknown, policy_hash=compute_policy_hash(limits)))
    else:
        _print_changes(revised, unknown=unknown, console=Console())
    return ExitCode.OK if revised else ExitCode.NOTHING_TO_JUDGE


def _to_json(revised: Sequence[RevisedDecision], *, unknown: int, policy_hash: str) -> str:
    return json.dumps(
        {
            "policy_hash": policy_hash,
            "decisions": len(revised),
            "without_question": unknown,
            "changes": [
                {
                    "incident": each.incident,
                    "model": each.model,
                    "recorded": each.recorded.model_dump(mode="json", exclude={"results"}),
                    "revised": each.revised.model_dump(mode="json", exclude={"results"}),
                }
                for each in revised
                if each.changed
            ],
        },
        indent=2,
    )


def _print_changes(revised: Sequence[RevisedDecision], *, unknown: int, console: Console) -> None:
    changes = [each for each in revised if each.changed]
    for each in changes:
        old, new = each.recorded, each.revised
        print_unbroken(console, f"{each.model}: incident {each.incident}", style="bold")
        print_wrapped(console, f"was {old.verdict} by {old.rule}: {old.reason}", indent="  ")
        print_wrapped(console, f"would be {new.verdict} by {new.rule}: {new.reason}", indent="  ")
    console.print(f"Decisions: {len(revised)}, changed: {len(changes)}.", highlight=False)
    moves = Counter((each.recorded.verdict, each.revised.verdict) for each in changes)
    for (old_verdict, new_verdict), count in sorted(moves.items()):
        if old_verdict is not new_verdict:
            console.print(f"  {old_verdict} to {new_verdict}: {count}", highlight=False)
    if unknown:
        print_wrapped(
            console,
            f"Left out: {unknown} decisions of an earlier release, which recorded no facts.",
            style="yellow",
        )
