import json
import subprocess
import sys

from tests.architecture.sources import ROOT

HEAVY = ("mlflow", "chromadb", "pandas", "kedro", "google.adk", "ibis", "sklearn")


def test_help_is_there_at_once_because_nothing_heavy_is_loaded_for_it() -> None:
    script = (
        "import json, sys\n"
        "from trimtab.cli.app import main\n"
        "sys.argv = ['trimtab', '--help']\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as done:\n"
        "    assert not done.code, done.code\n"
        "print('\\n' + json.dumps(list(sys.modules)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT, check=False, capture_output=True, text=True, timeout=60,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    help_text, loaded = done.stdout.rsplit("\n", 2)[0], done.stdout.strip().rsplit("\n", 1)[1]
    assert "demo" in help_text
    assert not [name for name in HEAVY if name in json.loads(loaded)]
