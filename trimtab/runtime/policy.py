"""Says which limits are in force: those of the policy's files, as the settings adapt them."""

from trimtab.contracts.decision import Limits
from trimtab.runtime.models import load_limits
from trimtab.runtime.settings import Settings


def adapt_limits(limits: Limits, settings: Settings) -> Limits:
    """Return the limits with the approval timeout of a backtest, in which nobody waits for days."""
    shorter = settings.backtest.approval_timeout
    return limits.model_copy(update={"approval_timeout": shorter}) if shorter else limits


def load_limits_in_force(settings: Settings) -> Limits:
    """Return the limits that incidents are started under now.

    Raises:
        BadConfigurationError: Everything that is wrong with the policy.
    """
    return adapt_limits(load_limits(), settings)
