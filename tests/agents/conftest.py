"""The agents' tests never call a live model."""

from tests.agents.fixtures import no_live_models as no_live_models  # noqa: PLC0414 - for pytest
from tests.agents.fixtures import stage as stage  # noqa: PLC0414 - as above
