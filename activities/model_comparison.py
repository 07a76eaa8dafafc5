"""Compares the champion at decision time with its replacement, on the same labelled rows."""

from datetime import datetime

from pydantic import TypeAdapter

from activities.heartbeat import run_with_heartbeat
from trimtab.contracts.base import Record
from trimtab.contracts.model import Slice, UnscorableVersion, VersionMetric
from trimtab.contracts.ports import PipelineRunner
from trimtab.contracts.remediation import ActionOrder, Verification

_METRICS = TypeAdapter(tuple[VersionMetric, ...])
_UNSCORABLE = TypeAdapter(tuple[UnscorableVersion, ...])


class VersionComparison(Record):
    """Two versions' metrics on one slice; None where undefined, for example without rows."""

    before: VersionMetric | None
    after: VersionMetric | None
    unscorable: tuple[UnscorableVersion, ...] = ()
    """Those of the two that could not be scored, and why."""

    @property
    def pair(self) -> tuple[VersionMetric, VersionMetric] | None:
        """Both metrics, or None unless both were measured on rows."""
        if self.before is None or self.after is None or not self.rows:
            return None
        return self.before, self.after

    @property
    def rows(self) -> int:
        """Number of rows that both versions were measured on."""
        return min(self.before.rows, self.after.rows) if self.before and self.after else 0

    @property
    def values(self) -> dict[str, float | None]:
        """The two metric values under the field names of effects and verifications."""
        return {
            "before": self.before.value if self.before else None,
            "after": self.after.value if self.after else None,
        }

    @property
    def missing_reason(self) -> str:
        """Why there are no two metrics to compare."""
        reasons = [
            f"version {each.version} cannot be scored: {each.reason}" for each in self.unscorable
        ]
        return "; ".join(reasons) or "no labelled rows"

    def __str__(self) -> str:
        if self.pair is None:
            return "no figures"
        before, after = self.pair
        return f"{before.metric} {before.value:.4f} → {after.value:.4f} on {self.rows} rows"


async def compare_versions(
    pipelines: PipelineRunner, order: ActionOrder, part: Slice, *, as_of: datetime
) -> VersionComparison:
    """Score the order's champion and challenger on a slice of the newest labelled window."""
    report = await run_with_heartbeat(
        pipelines.run(
            "evaluation",
            {
                "model": order.spec.name,
                "versions": [order.champion_version, order.challenger_version],
                "as_of": as_of.isoformat(),
                "slice": part.value,
            },
        )
    )
    found = {metric.version: metric for metric in _METRICS.validate_python(report["metrics"])}
    return VersionComparison(
        before=found.get(order.champion_version or ""),
        after=found.get(order.challenger_version or ""),
        unscorable=_UNSCORABLE.validate_python(report.get("unscorable", [])),
    )


def explain_no_promotion(comparison: VersionComparison, margin: float) -> str:
    """Return why a challenger is not promoted; empty if it is better by more than the margin."""
    if comparison.pair is None:
        return f"not promoted, champion and challenger not compared: {comparison.missing_reason}"
    before, after = comparison.pair
    if after.value - before.value > margin:
        return ""
    return f"not promoted: {comparison}, not better by more than {margin}"


def verify_comparison(order: ActionOrder, comparison: VersionComparison) -> Verification:
    """Return whether the action helped: there were rows, and the metric is not worse than before.

    A metric that is lower by at most the order's `verification_margin` is not worse.
    """
    detail, verified = f"not verified: {comparison.missing_reason}", False
    if comparison.pair is not None:
        before, after = comparison.pair
        verified = after.value >= before.value - order.verification_margin
        detail = f"{'no worse' if verified else 'worse'}: {comparison}"
    return Verification(
        metric=order.spec.metric,
        **comparison.values,
        rows=comparison.rows,
        verified=verified,
        detail=detail,
    )


def build_unverified(order: ActionOrder, reason: str) -> Verification:
    """Return a verification that could not be made, with the reason."""
    return Verification(
        metric=order.spec.metric,
        before=None,
        after=None,
        rows=0,
        verified=False,
        detail=f"not verified: {reason}",
    )
