"""Runs `trimtab demo`: a backtest of the model that Trimtab ships, and a question at its end."""

import sys

from trimtab.cli.backtest.backtest_options import BacktestOptions
from trimtab.cli.backtest.run import run_backtest
from trimtab.cli.demo.rehearsal import rehearse_question
from trimtab.cli.errors import ExitCode
from trimtab.runtime.backtest_homes import DEMO_MODEL


def run_demo(options: BacktestOptions) -> ExitCode:
    """Replay the demo's model; without a terminal, answer for the person."""
    is_terminal = sys.stdin.isatty() and sys.stdout.isatty()
    options = options._replace(yes=options.yes or not is_terminal)
    return run_backtest(DEMO_MODEL, options, epilogue=rehearse_question)
