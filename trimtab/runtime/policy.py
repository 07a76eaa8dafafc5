"""Says which limits are in force: those of the policy's files, as the settings adapt them."""

from trimtab.contracts.decision import Limits
from trimtab.runtime.models import load_limits
from trimtab.runtime.settings import Settings


def adapt_limits(limits: Limits, settings: Settings) -> Limits:
    """Return the limits as a backtest changes them; without one they are the policy's own.

    In a replay of the past nobody waits for days, the local user answers, and nobody is told.
    """
    backtest = settings.backtest
    changes: dict[str, object] = {}
    if backtest.replay:
        changes = {
            "approvers": {},
            "approvals_needed": {},
            "two_approvals_from": None,
            "two_approvals_above": None,
            "require_signature": False,
            "notify": {},
        }
    if backtest.approval_timeout:
        changes["approval_timeout"] = backtest.approval_timeout
    return limits.model_copy(update=changes)


def load_limits_in_force(settings: Settings) -> Limits:
    """Return the limits that incidents are started under now.

    Raises:
        BadConfigurationError: Everything that is wrong with the policy.
    """
    return adapt_limits(load_limits(), settings)
