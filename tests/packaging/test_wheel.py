"""The wheel alone, outside of the checkout: what it holds, what it brings, and what it can do."""

import importlib.metadata
import json
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.architecture.sources import APPLICATION, FRONT_DOORS, LIBRARY, ROOT, tracked_files
from tests.packaging.bare_environment import (
    INSTALLERS,
    BareEnvironment,
    build_wheel,
    install_wheel,
)

LARGEST = 320_000_000
"""Bytes of everything that installing the wheel brings, bytecode included."""
OF_THE_APPLICATION = (
    ["demo"], ["up"], ["backtest", "prices"], ["init", "prices", "--data", "prices.csv"],
    ["doctor"], ["monitor", "prices"], ["schedule", "prices"], ["train", "prices"],
    ["audit", "verify"], ["audit", "show", "x"], ["events", "dead"], ["events", "retry", "1-0"],
    ["events", "import", "--from", "cloudevents", "events.json"],
)  # fmt: skip

pytestmark = pytest.mark.xdist_group("wheel")  # built and installed once


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def bare(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> BareEnvironment:
    """The installed wheel beside small tables, of which `moved` is one higher."""
    environment = install_wheel(wheel, tmp_path_factory.mktemp("bare"))
    for name, shift in (("reference", 0), ("same", 0), ("moved", 1)):
        random = np.random.default_rng(len(name))
        table = pd.DataFrame({
            "price": random.normal(shift, 1, 2000), "kind": random.choice(["a", "b"], 2000)
        })  # fmt: skip
        table.to_csv(environment.folder / f"{name}.csv", index=False)
        table.to_parquet(environment.folder / f"{name}.parquet")
    return environment


def test_the_wheel_holds_every_file_of_the_library_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    held = {name for name in names if ".dist-info/" not in name}
    tracked = {path.relative_to(ROOT).as_posix() for path in tracked_files()}

    assert held == {name for name in tracked if name.startswith(f"{LIBRARY}/")}
    assert {f"{LIBRARY}/py.typed", f"{LIBRARY}/charts/page.html"} <= held


def test_its_only_top_level_name_is_the_librarys(bare: BareEnvironment) -> None:
    (ours,) = (each for each in bare.distributions() if each.metadata["Name"] == LIBRARY)
    tops = {file.parts[0] for file in ours.files or () if file.parts[0] != ".."}

    assert {name for name in tops if not name.endswith(".dist-info")} == {LIBRARY}


def test_nothing_that_it_brings_has_a_name_of_the_applications(bare: BareEnvironment) -> None:
    taken = {
        name
        for each in bare.distributions()
        for file in each.files or ()
        for name in {*APPLICATION, *FRONT_DOORS}
        if file.parts[0] in {name, f"{name}.py"}
    }

    assert taken == set()


def test_it_brings_neither_the_applications_packages_nor_torch(bare: BareEnvironment) -> None:
    names = {each.metadata["Name"].lower() for each in bare.distributions()}

    assert (
        names & {"torch", "pyarrow", "scipy", "temporalio", "mlflow", "kedro", "chromadb"} == set()
    )


def test_it_and_what_it_brings_stay_small(bare: BareEnvironment) -> None:
    sizes = {
        each.metadata["Name"]: sum(
            path.stat().st_size
            for file in each.files or ()
            if (path := Path(str(each.locate_file(file)))).is_file()
        )
        for each in bare.distributions()
        if each.metadata["Name"] not in INSTALLERS
    }

    assert sum(sizes.values()) < LARGEST, sizes


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_it_compares_two_files(ending: str, bare: BareEnvironment) -> None:
    reference, same, moved = (f"{name}.{ending}" for name in ("reference", "same", "moved"))

    quiet = bare.run("trimtab", "compare", reference, same)
    drift = bare.run(
        "trimtab", "compare", reference, moved, "--html", "page.html", "--json", "answer.json"
    )

    assert quiet.returncode == 0, quiet.stdout + quiet.stderr
    assert drift.returncode == 1, drift.stdout + drift.stderr
    found = json.loads((bare.folder / "answer.json").read_text())
    drifted = {each["name"]: each["drifted"] for each in found["features"]}
    assert drifted == {"price": True, "kind": False}
    assert "<html" in (bare.folder / "page.html").read_text()


def test_its_help_lists_every_command_and_its_version_is_the_wheels(bare: BareEnvironment) -> None:
    shown = bare.run("trimtab", "--help")
    version = bare.run("trimtab", "--version")

    commands = {"compare", *(command[0] for command in OF_THE_APPLICATION)}
    assert shown.returncode == 0, shown.stderr
    assert [name for name in commands if f" {name} " not in shown.stdout] == []
    assert version.stdout.strip() == f"trimtab {importlib.metadata.version('trimtab')}"


def test_every_command_has_its_help(bare: BareEnvironment) -> None:
    for command in ([*each[:2], "--help"] for each in OF_THE_APPLICATION):
        done = bare.run("trimtab", *command)
        assert (done.returncode, done.stderr) == (0, ""), command


def test_the_python_package_is_imported_from_any_folder(bare: BareEnvironment) -> None:
    done = bare.run("python", "-c", "import trimtab; print(trimtab.__file__)")

    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()).is_relative_to(bare.packages)


def test_its_python_interface_compares_frames_and_files(bare: BareEnvironment) -> None:
    script = (
        "import pandas as pd, trimtab\n"
        "result = trimtab.compare(pd.read_csv('reference.csv'), 'moved.parquet')\n"
        "profile = trimtab.profile('reference.csv')\n"
        "same = trimtab.compare(profile, pd.read_csv('same.csv'))\n"
        "print(result.drifted, same.drifted, list(result.columns['column']))\n"
        "print(len(result._repr_html_()) > 10_000)\n"
    )

    done = bare.run("python", "-c", script)

    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n") == ["True False ['price', 'kind']", "True", ""]


@pytest.mark.parametrize("command", OF_THE_APPLICATION, ids=" ".join)
def test_a_command_of_the_application_says_in_one_sentence_how_to_get_it(
    command: list[str], bare: BareEnvironment
) -> None:
    done = bare.run("trimtab", *command)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "This command needs the application, which is the source checkout of Trimtab:"
        " run `make demo` in it.\n"
    )


def test_a_table_of_a_database_says_which_packages_it_needs(bare: BareEnvironment) -> None:
    done = bare.run("trimtab", "compare", "postgres://ada@db/shop?table=sales", "moved.csv")

    assert done.returncode == 2
    assert done.stderr.strip() == (
        "Bad input: REFERENCE 'postgres://ada@db/shop?table=sales': reading a database needs Ibis:"
        " install 'trimtab[ibis]' 'ibis-framework[postgres]'"
    )


@pytest.mark.parametrize("name", [*APPLICATION, *FRONT_DOORS])
def test_no_package_of_the_projects_environment_has_a_name_of_the_applications(name: str) -> None:
    """The checkout is installed there as one file that names its folder, and so is not listed."""
    taken = importlib.metadata.packages_distributions().get(name, [])

    assert taken == []
