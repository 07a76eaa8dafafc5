"""What the tests of the pipelines share with others: see tests/deployment.py."""

from tests.deployment import PARKING, Run

__all__ = ["PARKING", "Run"]
