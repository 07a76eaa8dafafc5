"""One run of one pipeline, in this process and now."""

from collections.abc import Mapping
from functools import cache

from kedro.pipeline import Pipeline
from kedro.runner import SequentialRunner
from pydantic import JsonValue
from pydantic_core import to_jsonable_python

from trimtab.pipelines.catalog import build_catalog, read_catalog
from trimtab.pipelines.connections import let_go
from trimtab.pipelines.pipeline_registry import register_pipelines
from trimtab.pipelines.requests import read_request


def run(name: str, params: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """What the pipeline's `report` says."""
    read_request(name, params)
    try:
        outputs = SequentialRunner().run(_pipelines()[name], build_catalog(params))
        report: dict[str, JsonValue] = to_jsonable_python(outputs["report"].load())
    except Exception:
        let_go(failed=True)
        raise
    let_go(failed=False)
    return report


def load_everything() -> None:
    """Import what the catalog's datasets need, and open the stores: slow, once a process."""
    catalog = read_catalog({})
    for name in catalog:
        catalog.get(name)
    catalog.load("registered_model")


@cache
def _pipelines() -> dict[str, Pipeline]:
    return register_pipelines()
