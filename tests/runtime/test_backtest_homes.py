from pathlib import Path

from trimtab.runtime.backtest_homes import build_backtest_home, build_rehearsal_home, is_demo_home


def test_models_whose_names_differ_in_a_character_only_do_not_share_a_home(tmp_path: Path) -> None:
    names = ("wind.farm", "wind_farm", "wind-farm", "Wind-Farm", "wind farm")

    assert len({build_backtest_home(tmp_path, name) for name in names}) == len(names)


def test_a_folder_of_the_demos_name_elsewhere_is_not_the_demos_home(tmp_path: Path) -> None:
    assert is_demo_home(build_backtest_home(tmp_path, "birmingham-parking"))
    assert not is_demo_home(tmp_path / "birmingham-parking")
    assert not is_demo_home(Path(".trimtab"))


def test_no_model_shares_the_home_of_a_rehearsal(tmp_path: Path) -> None:
    home = build_rehearsal_home(build_backtest_home(tmp_path, "birmingham-parking"))

    for name in ("birmingham-parking-asked", "birmingham-parking~asked"):
        assert build_backtest_home(tmp_path, name) != home
        assert not is_demo_home(build_backtest_home(tmp_path, name))
    assert is_demo_home(home)
