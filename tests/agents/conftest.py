"""The agents' tests never call a live model."""

from tests.agents.fixtures import dialogue as dialogue  # noqa: PLC0414 - as above
from tests.agents.fixtures import no_live_models as no_live_models  # noqa: PLC0414 - for pytest
