"""Pipeline `distribution`: one column in the reference and in a window."""

from kedro.pipeline import Node, Pipeline, pipeline
from pydantic import JsonValue

from trimtab.contracts.fitted import ServedModels
from trimtab.contracts.model import Distribution, ModelSpec
from trimtab.contracts.ports import Refused
from trimtab.detection.profiles.window_profile import (
    ColumnProfile,
    WindowProfile,
    coarsen_bins,
    compute_shares,
)
from trimtab.pipelines.history.profiling import load_reference_profile, profile_rows
from trimtab.pipelines.history.remote import HistoryTable
from trimtab.pipelines.history.rows import read_rows
from trimtab.pipelines.requests import DistributionRequest, build_request_node
from trimtab.pipelines.scoring.predictions import choose_predictor, predict_outputs


def compare_distributions(
    history: HistoryTable, spec: ModelSpec, request: DistributionRequest, models: ServedModels
) -> dict[str, JsonValue]:
    """Return the column's shares in the reference and in the window.

    Raises `Refused` if either lacks the column, or if it is of another kind in the window.
    """
    champion = models.champion()
    reference = load_reference_profile(champion)
    before = _find_column(reference, request.feature, spec)
    rows = read_rows(history, spec, request.time_range)
    current = profile_rows(
        rows,
        spec,
        time_range=request.time_range,
        predictions=predict_outputs(choose_predictor(champion, rows, spec), rows, spec),
        labelled_until=request.end - spec.label_delay,
        like=reference,
    )
    now = _find_column(current, request.feature, spec)
    if now.column.kind is not before.column.kind:
        msg = (
            f"{request.feature!r} is {now.column.kind} now and was {before.column.kind} when"
            f" version {champion.version} was made: it cannot be compared; a newer version can"
        )
        raise Refused(msg)
    before, now = coarsen_bins(before), coarsen_bins(now)
    distribution = Distribution(
        feature=request.feature,
        bins=before.bin_names,
        reference=tuple(compute_shares(before).tolist()),
        current=tuple(compute_shares(now).tolist()),
    )
    return {"distribution": distribution.model_dump(mode="json")}


def _find_column(profile: WindowProfile, name: str, spec: ModelSpec) -> ColumnProfile:
    column = profile.find(name)
    if column is None:
        columns = ", ".join(each.column.name for each in profile.columns)
        msg = f"{name!r} is no column of {spec.name!r}; there are {columns}"
        raise Refused(msg)
    return column


def create_pipeline() -> Pipeline:
    """Return the pipeline that compares the distributions of one column."""
    return pipeline(
        [
            build_request_node("distribution"),
            Node(
                compare_distributions,
                ["history", "model_spec", "request", "registered_model"],
                "report",
                name="compare_distributions",
            ),
        ]
    )
