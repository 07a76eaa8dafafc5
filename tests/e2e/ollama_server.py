"""A real Ollama server with a tiny real model, for the tests that need a language model to talk.

`.ci/build-ollama` puts both into a cache outside the tree. The model is far too small to be right
about anything: it proves the plumbing, and that nonsense ends safely.
"""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
import pytest

TOOLS_MODEL = "smollm2"
"""Its template mentions tools, so Ollama accepts a request that offers some."""
PLAIN_MODEL = "smollm2-plain"
"""Its template does not: Ollama answers 400 to a request that offers tools."""

_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "trimtab"
_SERVER = _CACHE / "ollama"
_WEIGHTS = _CACHE / "smollm2-0.1.2" / "smollm2.gguf"

_TOOLS_TURN = """<|im_start|>system
Tools that may be called: {{ .Tools }}<|im_end|>
"""
# One thread: two that spin for each other on busy cores were seen to be ten times slower.
_MODELFILE = '''FROM {weights}
TEMPLATE """{tools}{{{{- range .Messages }}}}<|im_start|>{{{{ .Role }}}}
{{{{ .Content }}}}<|im_end|>
{{{{ end }}}}<|im_start|>assistant
"""
PARAMETER stop <|im_end|>
PARAMETER num_ctx 2048
PARAMETER num_predict 120
PARAMETER temperature 0
PARAMETER seed 7
PARAMETER num_thread 1
'''


@dataclass(frozen=True)
class Installation:
    """What `.ci/build-ollama` leaves behind."""

    server: Path
    weights: Path


def find_installation() -> Installation:
    """The server and the weights; skips the test without them, and fails it in CI."""
    found = Installation(
        server=Path(os.environ.get("TRIMTAB_TEST_OLLAMA") or _SERVER),
        weights=Path(os.environ.get("TRIMTAB_TEST_GGUF") or _WEIGHTS),
    )
    missing = [str(path) for path in (found.server, found.weights) if not path.is_file()]
    if missing:
        reason = f"no Ollama server to test with: {missing} missing; .ci/build-ollama makes them"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return found


@pytest.fixture(scope="session")
def ollama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a running server that holds `TOOLS_MODEL` and `PLAIN_MODEL`."""
    installation = find_installation()
    home = tmp_path_factory.mktemp("ollama")
    host = f"127.0.0.1:{_free_port()}"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "OLLAMA_HOST": host,
        "OLLAMA_MODELS": str(home / "models"),
        "OLLAMA_NUM_PARALLEL": "1",
    }
    with (home / "server.log").open("wb") as log:
        child = subprocess.Popen(
            [installation.server, "serve"], env=environment, stdout=log, stderr=log
        )
        try:
            _await_answer(child, host=host, log=home / "server.log")
            for name, tools in ((TOOLS_MODEL, _TOOLS_TURN), (PLAIN_MODEL, "")):
                modelfile = home / f"{name}.Modelfile"
                modelfile.write_text(_modelfile(installation.weights, tools=tools))
                subprocess.run(
                    [installation.server, "create", name, "-f", modelfile],
                    env=environment, check=True, capture_output=True, timeout=60,
                )  # fmt: skip
            yield f"http://{host}"
        finally:
            _end(child)


def _modelfile(weights: Path, *, tools: str) -> str:
    offer = f"{{{{- if .Tools }}}}{tools}{{{{ end }}}}" if tools else ""
    return _MODELFILE.format(weights=weights, tools=offer)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _await_answer(child: subprocess.Popen[bytes], *, host: str, log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and child.poll() is None:
        try:
            httpx.get(f"http://{host}/api/version", timeout=2).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
            continue
        assert _listens(child, host), f"another process answers at {host}"
        return
    pytest.fail(f"ollama serve did not answer at {host}:\n{log.read_text()[-2000:]}")


def _listens(child: subprocess.Popen[bytes], host: str) -> bool:
    sockets = psutil.Process(child.pid).net_connections(kind="tcp")
    return any(
        entry.status == psutil.CONN_LISTEN and f"{entry.laddr.ip}:{entry.laddr.port}" == host
        for entry in sockets
    )


def _end(child: subprocess.Popen[bytes]) -> None:
    """Ends the server, and the runner it started for the model."""
    try:
        family = [*psutil.Process(child.pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        family = []
    child.terminate()
    try:
        child.wait(timeout=10)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    for orphan in psutil.wait_procs(family, timeout=5)[1]:
        orphan.kill()
