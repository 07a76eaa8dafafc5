"""Runs one pipeline in this process."""

from collections.abc import Mapping
from functools import cache

from kedro.pipeline import Pipeline
from kedro.runner import SequentialRunner
from pydantic import JsonValue
from pydantic_core import to_jsonable_python

from trimtab.pipelines.catalog import build_catalog, read_catalog
from trimtab.pipelines.connections import close_connections
from trimtab.pipelines.pipeline_registry import register_pipelines
from trimtab.pipelines.requests import read_request


def execute_pipeline(name: str, params: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Run the pipeline and return its dataset `report`."""
    read_request(name, params)
    try:
        outputs = SequentialRunner().run(_get_pipelines()[name], build_catalog(params))
        report: dict[str, JsonValue] = to_jsonable_python(outputs["report"].load())
    except Exception:
        close_connections(failed=True)
        raise
    close_connections(failed=False)
    return report


def load_all_datasets() -> None:
    """Import what the catalog's datasets need and open the stores: slow, once a process."""
    catalog = read_catalog({})
    for name in catalog:
        catalog.get(name)
    catalog.load("registered_model")


@cache
def _get_pipelines() -> dict[str, Pipeline]:
    return register_pipelines()
