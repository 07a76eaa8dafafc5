"""Runs `trimtab evals calibrate`: fits the confidence on played incidents of the training split."""

from datetime import UTC, datetime
from pathlib import Path

import yaml

from evals.calibration.fit import fit_calibration, list_answers
from evals.code_version import compute_code_version
from evals.play.suite_runner import RESULTS_FILE, read_played
from evals.suites.builtin import HELD_OUT_FROM
from trimtab.cli.console import open_console
from trimtab.cli.errors import ExitCode
from trimtab.contracts.ports import Refused
from trimtab.files.atomic_file import write_atomically

_HEADER = """\
# How the confidence is computed from what was measured; policy.yml names this file. Written by
# `trimtab evals calibrate`: a logistic regression on labelled incidents, see docs/adr. Do not edit
# the figures: fit them anew.
"""


def run_calibration(played: Path, output: Path) -> ExitCode:
    """Fit the confidence on the incidents of a folder, and write the calibration.

    Raises:
        Refused: There are too few incidents, or some of the held-out split are among them.
    """
    found = list(read_played(played / RESULTS_FILE))
    if any(each.id.seed >= HELD_OUT_FROM for each in found):
        msg = f"{played} holds incidents of the held-out split: nothing is fitted on them"
        raise Refused(msg)
    version = f"{datetime.now(UTC):%Y-%m-%d}-{compute_code_version()[:8]}"
    fit = fit_calibration(list(list_answers(found)), version=version)
    content = yaml.safe_dump(fit.calibration.model_dump(mode="json"), sort_keys=False)
    write_atomically(output, _HEADER + content)
    score = fit.cross_validated
    console = open_console()
    console.print(
        f"Fitted on {fit.answers} answered events of {fit.calibration.incidents} incidents,"
        f" {score.right or 0.0:.0%} of them right. Cross-validated: calibration error"
        f" {score.calibration_error or 0.0:.3f}, Brier score {score.brier or 0.0:.3f}"
        f" ({score.base_brier or 0.0:.3f} for the share alone), AUROC {score.auroc or 0.0:.3f}.",
        highlight=False,
    )
    console.print(f"Written to {output}.", highlight=False)
    return ExitCode.OK
