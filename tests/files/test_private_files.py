"""What Trimtab writes is for its owner alone."""

import os
import stat
import subprocess
import sys
from pathlib import Path

from trimtab.files.private_files import make_private_folder, private_umask, restrict_files


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_folder_is_private_and_an_old_one_becomes_so(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.mkdir()
    old.chmod(0o755)

    make_private_folder(tmp_path / "new")
    make_private_folder(old)

    assert (mode(tmp_path / "new"), mode(old)) == (0o700, 0o700)


def test_existing_files_lose_what_others_may_do_and_keep_what_the_owner_may(
    tmp_path: Path,
) -> None:
    script, elsewhere = tmp_path / "script", tmp_path / "elsewhere"
    for path in (script, elsewhere):
        path.touch()
        path.chmod(0o755)
    link = tmp_path / "link"
    link.symlink_to(elsewhere)

    restrict_files([script, link, tmp_path / "gone"])

    assert (mode(script), mode(elsewhere)) == (0o700, 0o755)


def test_the_umask_is_private_in_the_block_only(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with private_umask():
            (tmp_path / "inside").touch()
        (tmp_path / "after").touch()
    finally:
        os.umask(before)

    assert (mode(tmp_path / "inside"), mode(tmp_path / "after")) == (0o600, 0o644)


def test_a_process_can_restrict_everything_that_it_will_make(tmp_path: Path) -> None:
    code = (
        "from trimtab.files.private_files import restrict_new_files; from pathlib import Path\n"
        "restrict_new_files(); Path('file').touch(); Path('folder').mkdir()"
    )

    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, umask=0o022)

    assert (mode(tmp_path / "file"), mode(tmp_path / "folder")) == (0o600, 0o700)
