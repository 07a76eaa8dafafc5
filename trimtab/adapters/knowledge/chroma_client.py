"""Opens Chroma, in a folder or as a server, and translates its errors."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import chromadb
import httpx
from chromadb.api import ClientAPI
from chromadb.config import Settings as ChromaSettings
from chromadb.errors import ChromaError, InternalError, NotFoundError, RateLimitError
from pydantic import HttpUrl

from trimtab.contracts.ports import Refused, Unavailable
from trimtab.files.private_files import make_private_folder, private_umask
from trimtab.runtime.settings import Settings

CHROMA_TIMEOUT_SECONDS: Final = 10.0
"""Time that a Chroma server may be silent."""


def open_chroma(settings: Settings) -> ClientAPI:
    """Return a client of the configured server, or of the folder `chroma` under `home`.

    Raises:
        Unavailable: The server does not answer.
        Refused: Chroma rejects the folder or address.
    """
    config = ChromaSettings(anonymized_telemetry=False)
    with translate_chroma_errors("open Chroma"):
        if settings.chroma.url is None:
            make_private_folder(settings.home.absolute())
            folder = settings.home.absolute() / "chroma"
            make_private_folder(folder)
            with private_umask(), (folder / "open.lock").open("w") as lock:
                # Two processes that set up a new folder at once would disturb each other.
                fcntl.flock(lock, fcntl.LOCK_EX)
                return chromadb.PersistentClient(folder, settings=config)
        return _open_server(settings.chroma.url, config)


@contextmanager
def translate_chroma_errors(task: str) -> Iterator[None]:
    """Turn errors into `Refused` (what Chroma rejects) and `Unavailable` (all others).

    A server in trouble shows as an error of httpx, or as a bare `Exception`.

    Args:
        task: What could not be done, as the message says it: "could not TASK".
    """
    try:
        yield
    except (Refused, Unavailable):
        raise
    except Exception as error:
        msg = f"could not {task}: {type(error).__name__}: {error}"
        passing = isinstance(error, (InternalError, NotFoundError, RateLimitError))
        if isinstance(error, (ChromaError, TypeError, ValueError)) and not passing:
            raise Refused(msg) from error
        raise Unavailable(msg) from error


def _open_server(url: HttpUrl, config: ChromaSettings) -> ClientAPI:
    """Return a client that waits for the server for a limited time; Chroma's own waits for ever."""
    httpx.get(f"{url}api/v2/heartbeat", timeout=CHROMA_TIMEOUT_SECONDS).raise_for_status()
    client = chromadb.HttpClient(
        host=str(url.host), port=int(url.port or 0), ssl=url.scheme == "https", settings=config
    )
    client._server._session.timeout = httpx.Timeout(CHROMA_TIMEOUT_SECONDS)  # type: ignore[attr-defined]  # noqa: SLF001 - no public way
    return client
