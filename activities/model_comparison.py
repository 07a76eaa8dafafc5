"""Compares the champion at decision time with its replacement, on the same labelled rows."""

from pydantic import TypeAdapter

from activities.heartbeat import run_with_heartbeat
from policies.promotion_gate import (
    GateAnswer,
    format_uselessness,
    is_useful,
    rate_challenger,
    rate_verification,
)
from trimtab.contracts.base import Record
from trimtab.contracts.model import (
    GateOutcome,
    PairedComparison,
    Slice,
    UnscorableVersion,
    VersionMetric,
)
from trimtab.contracts.ports import PipelineRunner
from trimtab.contracts.remediation import ActionOrder, GrantClaims, Verification

_METRICS = TypeAdapter(tuple[VersionMetric, ...])
_PAIRED = TypeAdapter(tuple[PairedComparison, ...])
_UNSCORABLE = TypeAdapter(tuple[UnscorableVersion, ...])


class VersionComparison(Record):
    """Two versions' metrics on one slice; None where undefined, for example without rows."""

    before: VersionMetric | None
    after: VersionMetric | None
    unscorable: tuple[UnscorableVersion, ...] = ()
    """Those of the two that could not be scored, and why."""
    paired: tuple[PairedComparison, ...] = ()
    """The comparison row by row; then one on more rows, if that could not tell."""

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
    pipelines: PipelineRunner, order: ActionOrder, part: Slice, *, claims: GrantClaims
) -> VersionComparison:
    """Score the order's champion and challenger on a slice of the newest labelled window.

    Where the gate's rows cannot tell, they are compared on more rows, by cross-fitting.
    """
    report = await run_with_heartbeat(
        pipelines.run(
            "evaluation",
            {
                "model": order.spec.name,
                "versions": [order.champion_version, order.challenger_version],
                "as_of": claims.as_of.isoformat(),
                "slice": part.value,
                "baseline": order.champion_version,
                "cross_fit": part is Slice.GATE,
                "corrupt_too": may_learn_corrupt_rows(claims),
            },
        )
    )
    found = {metric.version: metric for metric in _METRICS.validate_python(report["metrics"])}
    return VersionComparison(
        before=found.get(order.champion_version or ""),
        after=found.get(order.challenger_version or ""),
        unscorable=_UNSCORABLE.validate_python(report.get("unscorable", [])),
        paired=_PAIRED.validate_python(report.get("paired", [])),
    )


def may_learn_corrupt_rows(claims: GrantClaims) -> bool:
    """Return whether a person decided, who may have a corrupt window learnt from."""
    return claims.authority.startswith("person:")


def rate_gate(comparison: VersionComparison, margin: float) -> GateAnswer:
    """Return whether a challenger is better than the champion by more than the margin.

    The reason of any other answer begins with "not promoted".
    """
    if comparison.pair is None:
        reason = f"not promoted, champion and challenger not compared: {comparison.missing_reason}"
        return GateAnswer(GateOutcome.CANNOT_TELL, reason, None)
    answer = rate_challenger(comparison.paired, margin=margin)
    if answer.outcome is GateOutcome.BETTER:
        return answer
    return answer._replace(reason=f"not promoted: {answer.reason}")


def explain_uselessness(comparison: VersionComparison) -> str:
    """Return why the version to serve is hardly better than a trivial model; empty if it is."""
    paired = comparison.paired[0] if comparison.paired else None
    if paired is None or is_useful(paired):
        return ""
    return format_uselessness(paired)


def verify_comparison(order: ActionOrder, comparison: VersionComparison) -> Verification:
    """Return whether the action helped: there were rows, and the metric is not worse than before.

    How much worse counts is the order's `verification_margin`, and the comparison's own error.
    """
    detail, verified = f"not verified: {comparison.missing_reason}", False
    paired = comparison.paired[0] if comparison.paired else None
    if paired is not None:
        verified, detail = rate_verification(paired, margin=order.verification_margin)
    elif comparison.pair is not None:
        detail = f"not verified: {comparison}, not enough to compare row by row"
    return Verification(
        metric=order.spec.metric,
        **comparison.values,
        rows=comparison.rows,
        verified=verified,
        detail=detail,
        comparison=paired,
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
