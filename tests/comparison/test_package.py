"""`import trimtab`: what it offers, and what it does not load."""

import json
import subprocess
import sys
from importlib.metadata import version

import pytest

import trimtab
from tests.architecture.sources import ROOT

PUBLIC = [
    "ComparisonResult", "InvalidInputError", "InvalidOptionError", "InvalidProfileError",
    "InvalidTableError", "TableLike", "TableProfile", "UnsupportedTableError", "__version__",
    "compare", "load_profile", "profile",
]  # fmt: skip
HEAVY = {"duckdb", "jinja2", "numpy", "pandas", "polars", "pyarrow", "pydantic", "rich", "typer"}


def loaded_by(script: str) -> set[str]:
    """Names of the packages that a process has loaded in the end."""
    code = f"{script}\nimport json, sys\nprint(json.dumps(list(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True
    )
    return {name.partition(".")[0] for name in json.loads(done.stdout.splitlines()[-1])}


def test_it_offers_these_names() -> None:
    assert sorted(trimtab.__all__) == sorted(PUBLIC)
    assert dir(trimtab) == sorted(PUBLIC)
    assert all(getattr(trimtab, name) is not None for name in PUBLIC)
    assert trimtab.__version__ == version("trimtab")
    with pytest.raises(AttributeError, match="module 'trimtab' has no attribute 'compared'"):
        trimtab.compared  # type: ignore[attr-defined]  # noqa: B018 - the point


def test_importing_it_loads_nothing() -> None:
    assert loaded_by("import trimtab; trimtab.__version__") & HEAVY == set()


def test_comparing_frames_loads_no_more_than_the_frames_and_what_compares() -> None:
    script = (
        "import pandas as pd, trimtab\n"
        "frame = pd.DataFrame({'x': range(300)})\n"
        "trimtab.compare(frame, frame + 1).drifted"
    )

    loaded = loaded_by(script)

    assert loaded & {"jinja2", "ibis", "polars", "scipy", "typer", "mlflow", "temporalio"} == set()
