"""What a window is compared with: a profile, the thresholds that go with it, and their origin."""

from typing import NamedTuple

from contracts.fitted import ServedModel, ServedModels
from contracts.model import ModelSpec
from detection.drift import Thresholds
from detection.profile import WindowProfile
from pipelines.profiling import reference_profile, reference_uri


class Reference(NamedTuple):
    """One window's yardstick."""

    champion: ServedModel
    profile: WindowProfile
    """Its bins are those that the window is counted over."""
    thresholds: Thresholds
    uri: str | None
    """Where the profile is kept; None where it was made for this comparison."""


def find_reference(spec: ModelSpec, models: ServedModels) -> Reference:
    """As `spec.reference` says: what the champion was trained on."""
    champion = models.champion()
    return Reference(
        champion=champion,
        profile=reference_profile(champion),
        thresholds=thresholds_of(spec),
        uri=reference_uri(champion),
    )


def thresholds_of(spec: ModelSpec) -> Thresholds:
    """When a column counts as drifted: the configured floor."""
    return Thresholds(psi=spec.sensitivity.psi, p_value=spec.sensitivity.p_value)
