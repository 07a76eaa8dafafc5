"""Prints what `trimtab doctor` found: a line for each model and one for the stack, then details."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Final

from rich.console import Console
from rich.text import Text

from trimtab.cli.console import print_wrapped
from trimtab.cli.doctor.check_result import CheckResult, CheckState

_STYLES: Final = {
    CheckState.FINE: "green",
    CheckState.NOTE: "yellow",
    CheckState.FAULT: "bold red",
}
_STACK: Final = "stack and machine"


def print_results(results: Sequence[CheckResult], console: Console, *, verbose: bool) -> None:
    """Print a line for each model and one for the stack, with faults and notes below it.

    Notes without a remedy, and what is fine, are shown with `verbose` only. If there is neither a
    model nor a fault, there is no summary.
    """
    hidden = 0
    for model, group in _group_by_model(results).items():
        _print_heading(model, group, console)
        for each in group:
            if verbose or each.state is CheckState.FAULT or each.remedy:
                _print_result(each, console)
            else:
                hidden += each.state is CheckState.NOTE
    faults = sum(each.state is CheckState.FAULT for each in results)
    if not faults and not any(each.model for each in results):
        return  # "no fault" would be misleading where no model was checked
    summary = Text(_count(faults, "fault"), "bold red") if faults else Text("No fault", "green")
    if hidden:
        summary.append(f" ({_count(hidden, 'note')} more with --verbose)", style="default")
    console.print(summary.append("."))


def format_json(results: Sequence[CheckResult], *, models: Sequence[str]) -> str:
    """Return the results as JSON: the worst state, the checked models, and every check."""
    order = list(CheckState)
    worst = max((each.state for each in results), key=order.index, default=CheckState.FINE)
    checks = [asdict(each) for each in results]
    return json.dumps({"state": worst, "models": list(models), "checks": checks}, indent=2)


def _group_by_model(results: Sequence[CheckResult]) -> dict[str | None, list[CheckResult]]:
    """Return the results of each model, and under None those of the stack, which come last."""
    models = dict.fromkeys(each.model for each in results if each.model is not None)
    return {model: [each for each in results if each.model == model] for model in (*models, None)}


def _print_heading(model: str | None, group: Sequence[CheckResult], console: Console) -> None:
    name = _STACK if model is None else f"model {model}"
    faults = sum(each.state is CheckState.FAULT for each in group)
    if faults:
        console.print(Text.assemble(f"{name}: ", (_count(faults, "fault"), "bold red")))
        return
    said = "; ".join(each.found for each in group if each.state is CheckState.FINE)
    detail = f" ({said})" if model is not None and said else ""
    print_wrapped(console, f"{name}: fine{detail}")


def _print_result(result: CheckResult, console: Console) -> None:
    about = "" if result.thing == f"model {result.model}" else f"{result.thing}: "
    print_wrapped(
        console, f"{result.state.value}  {about}{result.found}",
        indent="  ", style=_STYLES[result.state] if result.state is not CheckState.FINE else "",
    )  # fmt: skip
    if result.remedy:
        print_wrapped(console, f"→ {result.remedy}", indent="    ")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
