"""Says what actions cost: a figure of the model's configuration, whoever made the plan."""

from decimal import Decimal

from trimtab.contracts.deliberation import RemediationPlan
from trimtab.contracts.model import Costs
from trimtab.contracts.remediation import Action


def compute_cost(action: Action, costs: Costs) -> Decimal:
    """Return the cost of an action; never a figure that a language model claims."""
    charged = {Action.RETRAIN: costs.retraining, Action.ROLL_BACK: costs.rollback}
    return charged.get(action, Decimal(0))


def explain_false_cost(plan: RemediationPlan, costs: Costs) -> str:
    """Return why a plan's cost is not the configured one; empty if it is.

    Our own agents take it from the configuration. Limits and budgets are no limits for whoever
    answers in their place and says that an action costs nothing.
    """
    cost = compute_cost(plan.action, costs)
    if (plan.cost, plan.currency) == (cost, costs.currency):
        return ""
    return (
        f"the plan says that {plan.action} costs {plan.cost} {plan.currency}, and by the model's "
        f"configuration it costs {cost} {costs.currency}"
    )
