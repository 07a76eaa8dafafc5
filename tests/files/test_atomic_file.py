"""A file is written whole or not at all, and keeps its permissions."""

import itertools
import os
import stat
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from trimtab.files.atomic_file import create_atomically, is_written_in_place, write_atomically


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(("data", "kept"), [("né\n", "né\n".encode()), (b"\xff\r\n", b"\xff\r\n")])
def test_text_is_written_as_utf_8_and_bytes_as_they_are(
    tmp_path: Path, data: str | bytes, kept: bytes
) -> None:
    path = tmp_path / "report.json"

    write_atomically(path, data)

    assert path.read_bytes() == kept
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_file_has_the_permissions_that_any_file_gets(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()

    write_atomically(tmp_path / "report", "")

    assert mode_of(tmp_path / "report") == mode_of(tmp_path / "usual")


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666])
def test_a_replaced_file_keeps_its_permissions(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "report"
    path.touch()
    path.chmod(mode)

    write_atomically(path, "new")

    assert (path.read_text(), mode_of(path)) == ("new", mode)


def test_permissions_that_are_given_are_exact(tmp_path: Path) -> None:
    path = tmp_path / "stack.json"
    path.touch()

    write_atomically(path, "", mode=0o600)

    assert mode_of(path) == 0o600


def test_a_failure_leaves_the_old_file_and_no_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_space(_: int) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "report"
    path.write_text("old")
    monkeypatch.setattr(os, "fsync", no_space)

    with pytest.raises(OSError, match="No space left"):
        write_atomically(path, "new")

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_that_does_not_exist_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "missing" / "report", "")

    assert list(tmp_path.iterdir()) == []


def test_a_name_as_long_as_the_file_system_takes_is_no_trouble(tmp_path: Path) -> None:
    path = tmp_path / ("r" * 255)

    write_atomically(path, "")

    assert path.exists()


def test_a_file_that_exists_is_not_created_again(tmp_path: Path) -> None:
    path = tmp_path / "a.key"

    created = [create_atomically(path, "first"), create_atomically(path, "second")]

    assert created == [True, False]
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_of_several_callers_that_create_a_file_one_succeeds(tmp_path: Path) -> None:
    numbers = itertools.count()

    with ThreadPoolExecutor(8) as pool:
        created = list(
            pool.map(
                lambda _: create_atomically(tmp_path / "a", str(next(numbers))), range(64)
            )
        )  # fmt: skip

    assert sum(created) == 1


def test_a_pipe_is_written_into_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    link = tmp_path / "link"
    link.symlink_to(pipe)
    for path in (pipe, link):
        reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

        write_atomically(path, "{}\n")

        assert os.read(reader, 100) == b"{}\n"
        os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert sorted(tmp_path.iterdir()) == [link, pipe]


def test_a_terminal_is_written_into() -> None:
    reader, terminal = os.openpty()

    write_atomically(Path(os.ttyname(terminal)), "page")

    assert os.read(reader, 100) == b"page"
    os.close(reader)
    os.close(terminal)


def test_a_link_to_an_open_file_is_written_into_after_what_is_there(tmp_path: Path) -> None:
    """As for /dev/stdout, if the shell sends standard output to a file."""
    path = tmp_path / "output"
    with path.open("w") as file:
        file.write("table\n")
        file.flush()

        write_atomically(Path(f"/dev/fd/{file.fileno()}"), "{}\n")

    assert path.read_text() == "table\n{}\n"


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match="reports"):
        write_atomically(_made(tmp_path / "reports"), "")


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="only Linux keeps files in /dev/shm")  # noqa: S108
def test_a_link_to_a_file_in_memory_is_replaced_too(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("kept")
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        link = Path(folder) / "link"
        link.symlink_to(tmp_path / "other")

        write_atomically(link, "page")

        assert link.read_text() == "page"
    assert (tmp_path / "other").read_text() == "kept"


def test_a_link_to_a_file_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "other").write_text("kept")
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "other")

    write_atomically(link, "new")

    assert not is_written_in_place(link)
    assert ((tmp_path / "other").read_text(), link.read_text()) == ("kept", "new")


@pytest.mark.parametrize("write", [write_atomically, create_atomically])
def test_an_error_names_the_file_that_the_caller_asked_for(
    tmp_path: Path, write: Callable[[Path, str], object]
) -> None:
    path = tmp_path / "missing" / "report.json"

    with pytest.raises(FileNotFoundError) as caught:
        write(path, "")

    assert caught.value.filename == str(path)
    assert ".part" not in str(caught.value)
