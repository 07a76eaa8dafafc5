"""Pipeline `distribution`: one column then and now, for whoever looks closer."""

from kedro.pipeline import Node, Pipeline, pipeline
from pydantic import JsonValue

from trimtab.contracts.fitted import ServedModels
from trimtab.contracts.model import Distribution, ModelSpec
from trimtab.contracts.ports import Refused
from trimtab.detection.profiles.window_profile import coarsen_bins, compute_shares
from trimtab.pipelines.history.profiling import profile_rows, reference_profile
from trimtab.pipelines.history.remote import History
from trimtab.pipelines.history.rows import rows_between
from trimtab.pipelines.requests import DistributionRequest, request_node
from trimtab.pipelines.scoring import estimator
from trimtab.pipelines.scoring.predictions import answering


def compare_column(
    history: History, spec: ModelSpec, request: DistributionRequest, models: ServedModels
) -> dict[str, JsonValue]:
    """The column's shares in the reference and in the window."""
    champion = models.champion()
    reference = reference_profile(champion)
    found = reference.find(request.feature)
    if found is None:
        there = ", ".join(each.column.name for each in reference.columns)
        msg = f"{request.feature!r} is no column of {spec.name!r}; there are {there}"
        raise Refused(msg)
    rows = rows_between(history, spec, request.span)
    current = profile_rows(
        rows,
        spec,
        span=request.span,
        predictions=estimator.outputs(answering(champion, rows, spec), rows, spec),
        labelled_until=request.end - spec.label_delay,
        like=reference,
    )
    now = current.find(request.feature)
    assert now is not None  # noqa: S101 - both profiles watch the same columns
    if now.column.kind is not found.column.kind:
        msg = (
            f"{request.feature!r} is {now.column.kind} now and was {found.column.kind} when version"
            f" {champion.version} was made: it cannot be compared; a newer version can"
        )
        raise Refused(msg)
    before, now = coarsen_bins(found), coarsen_bins(now)
    distribution = Distribution(
        feature=request.feature,
        bins=before.bins,
        reference=tuple(compute_shares(before).tolist()),
        current=tuple(compute_shares(now).tolist()),
    )
    return {"distribution": distribution.model_dump(mode="json")}


def create_pipeline() -> Pipeline:
    """One column then and now."""
    return pipeline(
        [
            request_node("distribution"),
            Node(
                compare_column,
                ["history", "model_spec", "request", "registered_model"],
                "report",
            ),
        ]
    )
