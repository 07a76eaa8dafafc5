"""The policy and a second, independent implementation of docs/policy.md agree, and it is monotone.

`TRIMTAB_POLICY_CASES=100000 pytest tests/policies/test_policy_agreement.py` compares that many.
"""

import os
import random
import re
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from policies.decision import decide
from tests.architecture.sources import ROOT
from tests.policies.independent_policy import TABLE, answer, answer_every_rule
from tests.policies.policy_cases import draw_question, draw_worse_facts

CASES = int(os.environ.get("TRIMTAB_POLICY_CASES", "3000"))
SEED = int(os.environ.get("TRIMTAB_POLICY_SEED", "13"))


def test_both_implementations_give_the_same_verdict_for_the_same_rule() -> None:
    draw, verdicts = random.Random(SEED), Counter[str]()  # noqa: S311 - no secret is drawn
    for _ in range(CASES):
        question = draw_question(draw)
        decision = decide(question)
        verdicts[decision.verdict] += 1

        assert (decision.verdict, decision.rule) == answer(question), question
        assert {each.rule: each.verdict.value for each in decision.results} == (
            answer_every_rule(question)
        ), question

    assert min(verdicts[verdict] for verdict in ("execute", "monitor", "escalate")) > CASES / 100


def test_every_rule_decides_some_case() -> None:
    draw = random.Random(SEED)  # noqa: S311 - no secret is drawn
    deciding = Counter(decide(draw_question(draw)).rule for _ in range(3000))

    assert set(TABLE) | {"all_rules"} == set(deciding)


@settings(deadline=None, max_examples=200)
@given(st.randoms(use_true_random=False))
def test_a_worse_fact_never_loosens_the_verdict(draw: random.Random) -> None:
    question = draw_question(draw)
    worse = draw_worse_facts(draw, question)

    assert decide(worse).verdict.rank >= decide(question).verdict.rank


def test_the_document_lists_the_rules_in_their_order() -> None:
    text = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")

    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == list(TABLE)
