"""Runs `trimtab backtest`: replays a model's history through the whole of Trimtab."""

import asyncio
import os
import shutil
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.markup import escape

from trimtab.charts.text import join_names
from trimtab.cli.backtest.backtest_options import BacktestOptions
from trimtab.cli.backtest.backtest_stack import BacktestStack
from trimtab.cli.backtest.isolation import forget_production, isolate_settings
from trimtab.cli.backtest.preflight import check_before_start
from trimtab.cli.backtest.progress_display import ProgressDisplay
from trimtab.cli.backtest.replay import Replay, ReplayedWindow
from trimtab.cli.backtest.report import print_report, write_report
from trimtab.cli.backtest.respondent import (
    CommandRespondent,
    Respondent,
    ScriptedRespondent,
    SilentRespondent,
    TerminalRespondent,
)
from trimtab.cli.backtest.summary import RunCircumstances, summarise_backtest
from trimtab.cli.console import open_console, print_command, print_unbroken
from trimtab.cli.errors import ExitCode
from trimtab.cli.signals import run_until_signal
from trimtab.contracts.model import ModelSpec
from trimtab.contracts.report import RunReport
from trimtab.runtime.backtest_homes import build_backtest_home
from trimtab.runtime.models import load_model_spec
from trimtab.runtime.settings import Settings, load_settings
from trimtab.runtime.settings_sections import BacktestSettings
from trimtab.runtime.stack_addresses import StackAddresses, find_running_stack

UNANSWERED_TIMEOUT: Final = timedelta(seconds=5)
"""How long a question stays open in a backtest in which nobody can answer."""
TRAINING_SEED: Final = 0
"""The seed of every random choice in training."""


@dataclass(frozen=True)
class FinishedBacktest:
    """A backtest whose report is printed, and whose stack still runs."""

    report: RunReport
    settings: Settings
    spec: ModelSpec
    respondent: Respondent
    display: ProgressDisplay


Epilogue = Callable[[FinishedBacktest], Awaitable[None]]
"""What follows a backtest while its stack still runs."""


def run_backtest(
    model: str, options: BacktestOptions, *, epilogue: Epilogue | None = None
) -> ExitCode:
    """Replay a model's history, print what Trimtab would have done, and write the report.

    Raises `BadConfigurationError`, `StackError`, `BacktestStackError` or `ReplayError`, each with
    its remedy.
    """
    console = open_console()
    spec = load_model_spec(model)
    respondent = _choose_respondent(console, options)
    settings = _build_settings(
        spec, can_answer=not isinstance(respondent, SilentRespondent), analyst=options.analyst
    )
    forget_production(os.environ)
    with console.status("checking configuration and data"):
        check_before_start(model, home=settings.home.parent, report=options.report)
    _remove_last_home(settings.home)
    backtest = Backtest(settings, spec, respondent, options, console)
    report = asyncio.run(run_until_signal(backtest.run(epilogue)))
    if report.audit_valid:
        return ExitCode.OK
    console.print("[red]The audit log does not verify.[/]")
    return ExitCode.FAILED


class Backtest:
    """One run: starts a stack, replays the history, reports, and stops the stack."""

    def __init__(
        self,
        settings: Settings,
        spec: ModelSpec,
        respondent: Respondent,
        options: BacktestOptions,
        console: Console,
    ) -> None:
        self._settings = settings
        self._spec = spec
        self._respondent = respondent
        self._options = options
        self._console = console

    async def run(self, epilogue: Epilogue | None) -> RunReport:
        """Return the report, which has been printed and written."""
        started_at = datetime.now(UTC)
        with ProgressDisplay(self._console) as display:
            async with BacktestStack(self._settings, progress=display.show) as stack:
                _print_addresses(stack.addresses, self._console)
                replayed = await self._replay_history(stack, display)
                display.show("verifying the audit chain")
                report = summarise_backtest(
                    self._spec,
                    replayed,
                    stack.verify_audit(),
                    RunCircumstances(
                        analyst=self._settings.analyst.model,
                        seed=TRAINING_SEED,
                        started_at=started_at,
                        finished_at=datetime.now(UTC),
                        server_versions=await stack.read_server_versions(),
                    ),
                )
                with display.paused():
                    self._present(report)
                if epilogue is not None:
                    finished = FinishedBacktest(
                        report, self._settings, self._spec, self._respondent, display
                    )
                    await epilogue(finished)
                if self._options.keep:
                    with display.paused():
                        await self._keep_until_stopped(stack)
                display.show("stopping the stack")
        return report

    async def _replay_history(
        self, stack: BacktestStack, display: ProgressDisplay
    ) -> list[ReplayedWindow]:
        replay = Replay(stack, self._spec, self._respondent, display=display)
        outputs = await replay.train()
        self._console.print(
            f"Champion: version {outputs['version']}, {outputs['metric']} {outputs['value']:.3f} "
            f"on {outputs['holdout_rows']:,} held-out rows of {outputs['rows']:,}.",
            highlight=False,
        )
        windows = await replay.list_windows()
        display.expect(len(windows))
        replayed = []
        for window in windows:
            replayed.append(await replay.replay(window))
            self._console.print(_format_window(replayed[-1]))
            display.advance()
        return replayed

    def _present(self, report: RunReport) -> None:
        self._console.print()
        print_report(report, self._console)
        if self._options.report is not None:
            write_report(report, self._options.report)
            print_unbroken(self._console, f"Report: {self._options.report}")
        _print_next_commands(self._settings.home, report, self._console)

    async def _keep_until_stopped(self, stack: BacktestStack) -> None:
        """Wait for Ctrl-C, which is how browsing is meant to end."""
        _print_addresses(stack.addresses, self._console)
        self._console.print("The stack stays up for browsing; Ctrl-C ends it.")
        try:
            await stack.wait_until_part_ends()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None:
                task.uncancel()


def _format_window(replayed: ReplayedWindow) -> str:
    window, report = replayed.window, replayed.report
    name = f"{window.start:%Y-%m-%d} to {window.end:%Y-%m-%d}, {window.rows:,} rows"
    if report is None:
        drifted = [f"{each.name} ({each.effect} {each.size:.2f})" for each in window.drifted]
        columns = f": {join_names(drifted)}" if drifted else ""
        return f"{name}: {escape(window.note)}{escape(columns)}"
    if report.decision is None:
        return f"{name}: {report.ending}"
    decision = report.decision
    return f"{name}: drift → [bold]{decision.verdict}[/] ({decision.rule}) → {report.ending}"


def _print_next_commands(home: Path, report: RunReport, console: Console) -> None:
    """Print the commands that read what was kept."""
    console.print("To verify the audit log:")
    print_command(console, "audit", "verify", "--home", str(home))
    if report.incidents:
        console.print("To read one incident:")
        incident = report.incidents[-1].event_id
        print_command(console, "audit", "show", incident, "--home", str(home))


def _print_addresses(addresses: StackAddresses, console: Console) -> None:
    console.print("[bold]The stack is up[/]")
    for name, address in (
        ("Temporal Web UI", addresses.ui),
        ("Temporal", addresses.temporal),
        ("Event stream", addresses.redis),
        ("MLflow", addresses.tracking),
        ("Logs", addresses.home / "logs"),
    ):
        print_unbroken(console, f"  {name:<15}  {address}")


def _build_settings(spec: ModelSpec, *, can_answer: bool, analyst: str | None) -> Settings:
    """Return the user's settings, but in a home of the backtest's own, with the past as now."""
    settings = load_settings(**({"analyst": {"model": analyst}} if analyst else {}))
    replay = BacktestSettings(
        replay=True, approval_timeout=None if can_answer else UNANSWERED_TIMEOUT
    )
    isolated = isolate_settings(
        settings, home=build_backtest_home(settings.home.absolute(), spec.name)
    )
    return isolated.model_copy(update={"backtest": replay})


def _remove_last_home(home: Path) -> None:
    """Remove the last replay: a backtest begins with an empty registry and knowledge base."""
    if home.exists() and find_running_stack(home) is None:
        shutil.rmtree(home)


def _choose_respondent(console: Console, options: BacktestOptions) -> Respondent:
    if options.respond is not None:
        return CommandRespondent(console, options.respond)
    if options.yes:
        return ScriptedRespondent(console)
    if console.is_terminal and sys.stdin.isatty():
        return TerminalRespondent(console)
    return SilentRespondent(console)
