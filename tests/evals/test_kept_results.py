import pytest

from evals.code_version import compute_rules_version
from evals.report.summary import RESULTS_FOLDER, list_summaries


@pytest.mark.skipif(
    not any(RESULTS_FOLDER.glob("*.json")),
    reason="no result is kept yet: trimtab evals run --split held-out --keep",
)
def test_the_rules_in_force_have_a_kept_result() -> None:
    kept = [summary.rules for summary in list_summaries(RESULTS_FOLDER)]

    assert compute_rules_version() in kept, (
        "instructions, rule table or calibration changed without a new result:"
        " run `trimtab evals run --split held-out --seeds 0-4 --keep`"
    )
