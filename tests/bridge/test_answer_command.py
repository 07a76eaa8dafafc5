"""The command on the approval page is the one that works where the person is."""

import shutil

import pytest

from trimtab.bridge.answer_command import build_answer_command


@pytest.mark.parametrize("address", ["127.0.0.1:7233", "localhost:7233", "[::1]:7233"])
def test_for_a_server_on_this_machine_the_program_is_the_environment_s_own(address: str) -> None:
    command = build_answer_command(address, "default")

    assert shutil.which(command.program)
    assert (command.address, command.namespace) == (address, "default")


@pytest.mark.parametrize("address", ["temporal.example.com:7233", "10.0.0.7:7233", "temporal:7233"])
def test_for_a_server_elsewhere_the_person_uses_a_program_of_their_own(address: str) -> None:
    command = build_answer_command(address, "ml")

    assert command.program == "temporal"
    assert (command.address, command.namespace) == (address, "ml")


def test_an_address_in_an_unusual_form_is_left_to_the_person_s_own_profile() -> None:
    assert build_answer_command("unix:///tmp/a b", "default").address == ""
