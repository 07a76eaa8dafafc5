"""A version that needs what is not installed says so, by name."""

import sys
from importlib import import_module
from pathlib import Path

import mlflow
import pandas as pd
import pytest
from mlflow.models import infer_signature

from tests.builders import a_spec
from trimtab.adapters.registry.foreign_model import ForeignEstimator, load_foreign_model
from trimtab.adapters.registry.requirements import fetch_missing_requirements
from trimtab.contracts.ports import Refused

BOOST = """
class Booster:
    def fit(self, table, target):
        return self
    def predict(self, table):
        return table["x"]
"""


@pytest.fixture
def needy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A model whose package was there when it was logged, and is not there now."""
    monkeypatch.setenv("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "true")
    package = tmp_path / "package"
    package.mkdir()
    (package / "nosuchboost.py").write_text(BOOST)
    table = pd.DataFrame({"x": [1.0, 2.0, 3.0]})
    with monkeypatch.context() as patch:
        patch.syspath_prepend(str(package))
        nosuchboost = import_module("nosuchboost")
        mlflow.sklearn.save_model(
            nosuchboost.Booster().fit(table, table["x"]),
            tmp_path / "model",
            signature=infer_signature(table, table["x"].to_numpy()),
            serialization_format="cloudpickle",
            pip_requirements=["scikit-learn", "nosuchboost==3.1.0", "other; python_version < '3'"],
        )
    del sys.modules["nosuchboost"]
    return str(tmp_path / "model")


def test_what_is_missing_is_known_without_loading_anything(needy: str) -> None:
    assert fetch_missing_requirements(needy) == ("nosuchboost==3.1.0",)


def test_a_model_that_lists_nothing_misses_nothing(needy: str) -> None:
    (Path(needy) / "requirements.txt").unlink()

    assert fetch_missing_requirements(needy) == ()


@pytest.mark.parametrize("line", ["--extra-index-url https://example.org", "-r more.txt", "# x"])
def test_a_line_that_is_no_requirement_is_passed_over(needy: str, line: str) -> None:
    (Path(needy) / "requirements.txt").write_text(f"{line}\nnosuchboost>=3\n")

    assert fetch_missing_requirements(needy) == ("nosuchboost>=3",)


def test_a_load_that_fails_names_version_model_and_package(needy: str) -> None:
    spec = a_spec(name="xprices", trust_pickle=True)

    with pytest.raises(Refused) as refused:
        load_foreign_model(needy, spec=spec, version="1", trusted_types=frozenset())

    assert str(refused.value).startswith(
        "version 1 of 'xprices' needs nosuchboost==3.1.0, which is not installed here: run `make"
    )
    assert "add PACKAGES=nosuchboost==3.1.0`, or name a column" in str(refused.value)


def test_a_load_that_fails_without_a_list_names_the_module(needy: str) -> None:
    (Path(needy) / "requirements.txt").unlink()

    with pytest.raises(Refused, match="needs the module nosuchboost, which is not installed here"):
        load_foreign_model(
            needy, spec=a_spec(trust_pickle=True), version="1", trusted_types=frozenset()
        )


def test_a_model_that_imports_only_when_it_is_asked_says_so_too() -> None:
    class Lazy:
        def predict(self, _: pd.DataFrame) -> None:
            raise ModuleNotFoundError(name="nosuchboost")

    model = ForeignEstimator(Lazy(), inputs=(), spec=a_spec())

    with pytest.raises(Refused, match="needs the module nosuchboost"):
        model.predict(pd.DataFrame({"x": [1.0]}))
